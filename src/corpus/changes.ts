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

/**
 * Compares a source with what an index holds of it. An image's file of the same size counts as the same file; a rejected
 * one also has to be of the same time.
 * @param options a limit of its own may let pass what was too large
 */
export function findChanges(
  { images, unseen = [] }: Pick<Source, "images" | "unseen">,
  indexed: Iterable<ImageRow | RejectedRow>,
  { maxPixels }: { readonly maxPixels?: number } = {},
): Changes {
  const known = new Map([...indexed].map((row) => [row.path, row]));
  const added: SourceImage[] = [];
  const retried: string[] = [];
  const changed: string[] = [];
  const unread: SourceImage[] = [];
  for (const image of images) {
    const row = known.get(image.path);
    // A list may name what was deleted: of an image that is removed. Anything else may come back.
    const removed = row && !("code" in row) && image.listed && image.unread?.code === "INPUT_NOT_FOUND";
    if (removed) continue;
    known.delete(image.path);
    if (image.unread) unread.push(image);
    else if (!row) added.push(image);
    else if ("code" in row) {
      const larger = row.code === "IMAGE_TOO_LARGE" && maxPixels !== undefined;
      if (larger || mayBeTaken(image, row)) retried.push(image.path);
    } else if (differs(image, row)) changed.push(image.path);
  }
  const mayBeThere = (path: string) => unseen.some((folder) => path.startsWith(`${folder}/`));
  const removed = [...known.keys()].filter((path) => !mayBeThere(path));
  return { added, retried, changed, removed, unread };
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
