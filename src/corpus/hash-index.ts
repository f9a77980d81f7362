import { createSha256 } from "../support/hash.ts";
import { hashStart } from "./hash-start.ts";
import type { Index } from "./open-index.ts";
import type { ShardedIndex } from "./sharded-index.ts";

const known = new WeakMap<object, { readonly manifest: object; readonly hash: string }>();

/**
 * SHA-256 (hex) of what an index is made of: its model, preprocessing and number format, and every image with what is known
 * of it, in their order. Where it lies and how it is cut into shards does not matter.
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { hashIndex } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * console.log(hashIndex(index).length); // → 64
 * ```
 */
export function hashIndex({ manifest, images }: Pick<Index, "manifest" | "images">): string {
  const before = known.get(images);
  if (before?.manifest === manifest) return before.hash;
  const hash = createSha256();
  hash.update(hashStart(manifest));
  for (const image of images) hash.update(`${JSON.stringify(image)}\n`);
  const found = hash.digest();
  known.set(images, { manifest, hash: found });
  return found;
}

/** `hashIndex` of an index whose rows are in memory, or are read for it. */
export const hashOf = (index: HashedIndex): Promise<string> =>
  hasRows(index) ? Promise.resolve(hashIndex(index)) : index.hash();

/** What the hash of an index is made from. */
export type HashedIndex = RowsInMemory | Pick<ShardedIndex, "images" | "hash">;

type RowsInMemory = Pick<Index, "manifest" | "images">;

const hasRows = (index: HashedIndex): index is RowsInMemory => Array.isArray(index.images);
