/** The known factors of images as partitions of them. */

import type { Index } from "../../corpus/open-index.ts";
import type { FactorValue } from "../../corpus/source.ts";
import { Random } from "../../math/random.ts";

/** A factor as a partition of images. */
export interface Grouping {
  readonly name: string;
  /** The values that occur, in order of first appearance. */
  readonly values: readonly FactorValue[];
  /** [n]: each image's group, −1 where it has none. */
  readonly groups: Int32Array;
  /** Images that have a value. */
  readonly images: number;
}

/** The factors of an index's images, the label among them; those with one value or a value an image are left out. */
export function findGroupings({ images }: Pick<Index, "images">, rows?: readonly number[]): Grouping[] {
  const names = new Set(images.flatMap(({ factors }) => Object.keys(factors)));
  const readers: [string, (row: number) => FactorValue][] = [...names].map((name) => [
    name,
    (row) => images[row].factors[name] ?? null,
  ]);
  if (!names.has("label")) readers.unshift(["label", (row) => images[row].label]);
  const used = rows ?? images.map((_, row) => row);
  const groupings = readers.map(([name, read]) => groupBy(name, images.length, used, read));
  return distinct(groupings.filter(({ values, images: n }) => values.length > 1 && values.length < n));
}

function groupBy(
  name: string,
  n: number,
  rows: readonly number[],
  read: (row: number) => FactorValue,
): Grouping {
  const numbers = new Map<FactorValue, number>();
  const groups = new Int32Array(n).fill(-1);
  let images = 0;
  for (const row of rows) {
    const value = read(row);
    if (value === null) continue;
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    groups[row] = known;
    images++;
  }
  return { name, values: [...numbers.keys()], groups, images };
}

/** Without those that part the images as an earlier one does: a label that is a factor too. */
const distinct = (groupings: readonly Grouping[]): Grouping[] =>
  groupings.filter(
    ({ groups }, i) =>
      !groupings.slice(i + 1).some((other) => other.groups.every((group, row) => group === groups[row])),
  );

/** How many images each value has. */
export const sizesOf = ({ groups, values }: Grouping): number[] => {
  const sizes = values.map(() => 0);
  for (const group of groups) if (group >= 0) sizes[group]++;
  return sizes;
};

/** The groups dealt out again at random among the images that have one. */
export function shuffle(groups: Int32Array, seed: number, permutation: number): Int32Array {
  const random = new Random(seed, permutation);
  const rows = Array.from(groups.keys()).filter((row) => groups[row] >= 0);
  const dealt = groups.slice();
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = dealt[rows[i]];
    dealt[rows[i]] = dealt[rows[j]];
    dealt[rows[j]] = kept;
  }
  return dealt;
}
