import { isReadableName } from "./picture-names.ts";
import { type ImageRow, isTransient, type RejectedRow } from "./rows.ts";
import type { Source, SourceImage } from "./source-image.ts";

/** What became of a source since it was indexed. */
export interface Changes {
  /** Not in the index yet, in the source's order. */
  readonly added: readonly SourceImage[];
  /** Rejected once, for reasons that no longer hold: other bytes, a format that is read now, a file that was away. */
  readonly retried: readonly string[];
  /** In the index, with another size, label or factors now. */
  readonly changed: readonly string[];
  /** In the index, and no longer in the source; images in folders that could not be read are not counted here. */
  readonly removed: readonly string[];
  /** Cannot be reached now. What the index holds of them stays. */
  readonly unread: readonly SourceImage[];
}

/** What became of an image of a source; zero where the index has nothing of it. */
const NEW = 0;
const KEPT = 1;
const RETRIED = 2;
const CHANGED = 3;
const REMOVED = 4;

/**
 * Compares a source with what an index holds of it. An image's file of the same size counts as the same file; a rejected
 * one also has to be of the same time. Rows are read once and not kept, so that an index may have any number of them.
 * @param indexed rows, some at a time
 * @param options a limit of its own may let pass what was too large
 */
export async function findChanges(
  { images, unseen = [] }: Pick<Source, "images" | "unseen">,
  indexed: AsyncIterable<readonly (ImageRow | RejectedRow)[]>,
  { maxPixels }: { readonly maxPixels?: number } = {},
): Promise<Changes> {
  const placeOf = placesByPath(images);
  const became = new Uint8Array(images.length);
  const removed: string[] = [];
  const mayBeThere = (path: string) => unseen.some((folder) => path.startsWith(`${folder}/`));
  for await (const rows of indexed) {
    for (const row of rows) {
      const place = placeOf(row.path);
      if (place !== undefined) became[place] = whatBecame(images[place], row, maxPixels);
      if (place === undefined ? !mayBeThere(row.path) : became[place] === REMOVED) removed.push(row.path);
    }
  }
  const added: SourceImage[] = [];
  const unread: SourceImage[] = [];
  const [retried, changed] = [[] as string[], [] as string[]];
  for (const [i, image] of images.entries()) {
    if (became[i] === REMOVED) continue;
    if (image.unread) unread.push(image);
    else if (became[i] === NEW) added.push(image);
    else if (became[i] === RETRIED) retried.push(image.path);
    else if (became[i] === CHANGED) changed.push(image.path);
  }
  return { added, retried, changed, removed, unread };
}

function whatBecame(image: SourceImage, row: ImageRow | RejectedRow, maxPixels: number | undefined) {
  // A list may name what was deleted: of an image that is removed. Anything else may come back.
  if (!("code" in row)) {
    if (image.listed && image.unread?.code === "INPUT_NOT_FOUND") return REMOVED;
    return differs(image, row) ? CHANGED : KEPT;
  }
  const larger = row.code === "IMAGE_TOO_LARGE" && maxPixels !== undefined;
  return larger || mayBeTaken(image, row) ? RETRIED : KEPT;
}

/** Where an image of a path is. A map takes 16.7 million; this takes what an array does, and six to eleven bytes an image. */
function placesByPath(images: readonly SourceImage[]): (path: string) => number | undefined {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(images.length * 1.25 + 2)));
  const last = slots.length - 1;
  /** The slot that has a path, or would. */
  const slotOf = (path: string) => {
    let slot = hashOf(path) & last;
    while (slots[slot] > 0 && images[slots[slot] - 1].path !== path) slot = (slot + 1) & last;
    return slot;
  };
  for (const [i, { path }] of images.entries()) slots[slotOf(path)] = i + 1;
  return (path) => {
    const place = slots[slotOf(path)];
    return place === 0 ? undefined : place - 1;
  };
}

/** FNV-1a of UTF-16 code units, its high bits mixed into the low ones. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

const differs = ({ bytes, label, factors }: SourceImage, row: ImageRow): boolean =>
  // Of an image in a table, or in a list of addresses, the length is not known before it is read.
  (bytes !== 0 && bytes !== row.bytes) ||
  label !== row.label ||
  JSON.stringify(factors) !== JSON.stringify(row.factors);

/** Whether what a file was rejected for says nothing about it as it is now. */
function mayBeTaken({ path, bytes, mtime, refused }: SourceImage, row: RejectedRow): boolean {
  if (isTransient(row) || bytes !== row.bytes) return true;
  if (row.code === "IMAGE_UNSUPPORTED" && !refused && !isReadableName(path)) return true;
  return row.mtime !== undefined && mtime !== undefined && row.mtime !== mtime;
}
