import type { ImageRow, RejectedRow } from "./rows.ts";
import type { Source, SourceImage } from "./source.ts";

/** What became of a source since it was indexed. */
export interface Changes {
  /** Not in the index yet, in the source's order. */
  readonly added: readonly SourceImage[];
  /** In the index, with another size, label or factors now. */
  readonly changed: readonly string[];
  /** In the index, and no longer in the source; images in folders that could not be read are not counted here. */
  readonly removed: readonly string[];
}

/** Compares a source with what an index holds of it. A file of the same size counts as the same file. */
export function findChanges(
  { images, unseen = [] }: Pick<Source, "images" | "unseen">,
  indexed: Iterable<ImageRow | RejectedRow>,
): Changes {
  const known = new Map([...indexed].map((row) => [row.path, row]));
  const added: SourceImage[] = [];
  const changed: string[] = [];
  for (const image of images) {
    const row = known.get(image.path);
    if (!row) added.push(image);
    else if (differs(image, row)) changed.push(image.path);
    known.delete(image.path);
  }
  const mayBeThere = (path: string) => unseen.some((folder) => path.startsWith(`${folder}/`));
  return { added, changed, removed: [...known.keys()].filter((path) => !mayBeThere(path)) };
}

function differs({ bytes, label, factors }: SourceImage, row: ImageRow | RejectedRow): boolean {
  if (bytes !== row.bytes) return true;
  if ("code" in row) return false;
  return label !== row.label || JSON.stringify(factors) !== JSON.stringify(row.factors);
}
