import { join } from "node:path";
import type { Index } from "../corpus/open-index.ts";
import { type Thumbnail, thumbnail } from "../image/thumbnail.ts";

/** Small pictures of some images of an index, by their ids; null where the file is gone. */
export async function thumbnailsOf(
  { manifest }: Index,
  images: readonly { readonly id: string; readonly path: string }[],
  side: number,
): Promise<Map<string, Thumbnail | null>> {
  const paths = new Map(images.map(({ id, path }) => [id, path]));
  return new Map(
    await Promise.all(
      [...paths].map(async ([id, path]) => [id, await thumbnail(join(manifest.root, path), side)] as const),
    ),
  );
}
