/** The known factors of images as partitions of them. */

import type { Index } from "../../corpus/open-index.ts";
import type { ImageRow } from "../../corpus/rows.ts";
import { hasRows, type ShardedIndex } from "../../corpus/sharded-index.ts";
import type { FactorValue } from "../../corpus/source.ts";
import { Random } from "../../math/random.ts";
import type { Report } from "../../support/progress.ts";

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
  const columns = createColumns(images.length, Number.POSITIVE_INFINITY);
  for (const image of images) columns.name(image);
  for (const row of rows ?? images.keys()) columns.add(row, images[row]);
  return columns.found().groupings;
}

/** Factors that were read of an index. */
export interface KnownFactors {
  readonly groupings: readonly Grouping[];
  /** Those that are left out, since they have more than 100,000 values. */
  readonly tooMany: readonly string[];
}

/** More values than this say of no group of images what it has in common, and would fill the memory. */
const MOST_VALUES = 100_000;

/**
 * {@link findGroupings} of an index of any size: rows are read a shard at a time. Values are in the order of the index, and a factor
 * with more than 100,000 of them is left out with a warning.
 */
export async function readGroupings(
  index: ShardedIndex,
  rows: readonly number[] | undefined,
  report?: Report,
): Promise<KnownFactors> {
  if (hasRows(index)) return { groupings: findGroupings(index, rows), tooMany: [] };
  const wanted = rows && new Set(rows);
  const columns = createColumns(index.images.length, MOST_VALUES);
  let row = 0;
  for await (const images of index.eachShardRows())
    for (const image of images) {
      columns.name(image);
      if (!wanted || wanted.has(row)) columns.add(row, image);
      row++;
    }
  const found = columns.found();
  for (const name of found.tooMany) {
    const message = `the factor ${name} has more than ${MOST_VALUES} values and is left out`;
    report?.({ type: "warning", code: "FACTORS_MISSING", message });
  }
  return found;
}

/** What is known of an image. */
type Known = Pick<ImageRow, "label" | "factors">;

/** Partitions of n images, made as their rows come. */
function createColumns(n: number, mostValues: number) {
  interface Column {
    readonly numbers: Map<FactorValue, number>;
    readonly groups: Int32Array;
    images: number;
  }
  const create = (): Column => ({ numbers: new Map(), groups: new Int32Array(n).fill(-1), images: 0 });
  const columns = new Map<string, Column>();
  const labels = create();
  const put = (column: Column, row: number, value: FactorValue) => {
    const { numbers, groups } = column;
    if (value === null || numbers.size > mostValues) return;
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    groups[row] = known;
    column.images++;
  };
  return {
    /** Factors are in the order in which images name them. */
    name({ factors }: Known) {
      for (const name in factors) if (!columns.has(name)) columns.set(name, create());
    },
    add(row: number, { label, factors }: Known) {
      put(labels, row, label);
      for (const name in factors) put(columns.get(name)!, row, factors[name]);
    },
    found() {
      const all = columns.has("label") ? [...columns] : [["label", labels] as const, ...columns];
      const tooMany = all.filter(([, { numbers }]) => numbers.size > mostValues).map(([name]) => name);
      const groupings = all
        .filter(
          ([name, { numbers, images }]) =>
            numbers.size > 1 && numbers.size < images && !tooMany.includes(name),
        )
        .map(([name, { numbers, groups, images }]) => ({
          name,
          values: [...numbers.keys()],
          groups,
          images,
        }));
      return { groupings: distinct(groupings), tooMany };
    },
  };
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
