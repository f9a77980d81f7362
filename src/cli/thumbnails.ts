import { join } from "node:path";
import { Option } from "commander";
import type { ShardedIndex } from "../corpus/open-shards.ts";
import { missingPictures } from "../corpus/root.ts";
import { type Thumbnail, thumbnail } from "../image/thumbnail.ts";
import type { Report } from "../support/progress.ts";

/** `--root <folder>` of a command that reads pictures of an index. */
export const rootOption = (): Option =>
  new Option("--root <folder>", "where the images of the index lie now, if they moved without it");

/** Small pictures of some images of an index, by their ids; null, with a warning, where the file is gone. */
export async function thumbnailsOf(
  index: Pick<ShardedIndex, "folder" | "manifest">,
  images: readonly { readonly id: string; readonly path: string }[],
  side: number,
  report: Report,
): Promise<Map<string, Thumbnail | null>> {
  const paths = new Map(images.map(({ id, path }) => [id, path]));
  const drawn = await Promise.all(
    [...paths].map(
      async ([id, path]) => [id, await thumbnail(join(index.manifest.root, path), side)] as const,
    ),
  );
  const gone = drawn.flatMap(([id, picture]) => (picture === null ? [paths.get(id)!] : []));
  const message = missingPictures(index, gone);
  if (message) report({ type: "warning", code: "IMAGES_MISSING", message });
  return new Map(drawn);
}
