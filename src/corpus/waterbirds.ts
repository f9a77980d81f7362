/**
 * The folder layout of Waterbirds ("Distributionally Robust Neural Networks for Group Shifts", Sagawa et al. 2020): birds
 * pasted on backgrounds, where the background goes with the class in training. A `metadata.csv` names the images:
 *
 *     img_id,img_filename,y,split,place,place_filename
 *     1,001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg,1,0,1,/o/ocean/00000042.jpg
 *
 * The label is `landbird` (y = 0) or `waterbird` (1); factors are `place` (`land`, `water`), `split` (`train`, `val`,
 * `test`) and, where `place_filename` is given, `scene`: the background's category there (`ocean`).
 */
import { ClipInterpretError } from "../support/errors.ts";

/** The list's name in its folder. */
export const WATERBIRDS_LIST = "metadata.csv";

const COLUMNS = ["img_filename", "y", "split", "place"];

/** Whether a CSV with these columns is such a list. */
export const isWaterbirds = (columns: readonly string[]): boolean =>
  COLUMNS.every((name) => columns.includes(name));

/** Values by the numbers that the list has for them. */
const VALUES = {
  y: ["landbird", "waterbird"],
  place: ["land", "water"],
  split: ["train", "val", "test"],
} as const;

/**
 * An image out of a row of the list.
 * @param where the row, for messages
 * @throws `LIST_INVALID` for a number that means nothing
 */
export function waterbirdsRow(
  record: Readonly<Record<string, string>>,
  where: string,
): { path: string; label: string; factors: Record<string, string> } {
  const read = (column: keyof typeof VALUES): string => {
    const value = VALUES[column][Number(record[column] || Number.NaN)];
    if (value !== undefined) return value;
    const known = VALUES[column].map((meaning, number) => `${number} (${meaning})`).join(", ");
    throw new ClipInterpretError(
      "LIST_INVALID",
      `${where}: ${column} is "${record[column]}", none of ${known}`,
    );
  };
  const path = record.img_filename;
  if (!path) throw new ClipInterpretError("LIST_INVALID", `${where}: no img_filename`);
  // Below a folder that is the category's first letter: /f/forest/broadleaf/00000012.jpg.
  const scene = /^\/?[a-z]\/(.+)\/[^/]+$/.exec(record.place_filename ?? "")?.[1];
  const factors = { place: read("place"), split: read("split"), ...(scene && { scene }) };
  return { path, label: read("y"), factors };
}
