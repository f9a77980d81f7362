import { type Thumbnail, thumbnail } from "../image/thumbnail.ts";
import type { Report } from "../support/progress.ts";
import { pictureOf } from "./picture.ts";
import { missingPictures } from "./root.ts";
import type { ShardedIndex } from "./sharded-index.ts";

/** A small picture of an image of an index; null where it cannot be read. */
export async function thumbnailOf(root: string, path: string, side: number): Promise<Thumbnail | null> {
  const picture = await bytesOrPath(root, path);
  return picture === null ? null : thumbnail(picture, side);
}

/** A picture of an index as what draws it takes it; null where it cannot be read. */
export async function bytesOrPath(root: string, path: string): Promise<string | Uint8Array | null> {
  const picture = pictureOf(root, path);
  return typeof picture === "string" ? picture : picture().catch(() => null);
}

/** Small pictures of some images of an index, by their ids; null, with a warning, where the file is gone. */
export async function thumbnailsOf(
  index: Pick<ShardedIndex, "folder" | "manifest">,
  images: readonly { readonly id: string; readonly path: string }[],
  side: number,
  report: Report,
): Promise<Map<string, Thumbnail | null>> {
  const paths = new Map(images.map(({ id, path }) => [id, path]));
  const drawn = await Promise.all(
    [...paths].map(async ([id, path]) => [id, await thumbnailOf(index.manifest.root, path, side)] as const),
  );
  const gone = drawn.flatMap(([id, picture]) => (picture === null ? [paths.get(id)!] : []));
  const message = missingPictures(index, gone);
  if (message) report({ type: "warning", code: "IMAGES_MISSING", message });
  return new Map(drawn);
}
