import { findGroupings, type Grouping, type SelectivityResult } from "../analysis/selectivity.ts";
import type { Index } from "../corpus/open-index.ts";
import type { TextPool } from "../text/pool.ts";
import type { Truth } from "./calibration.ts";

/** Images a group on average, at least, for a partition to say anything about another. */
const ENOUGH = 4;

/**
 * What is known of the heads of an index, for a pool whose properties are named after factors of its images. Undefined where
 * fewer than two factors have texts in the pool: any label would be right.
 */
export function truthOf(
  index: Pick<Index, "images">,
  { factors, components }: SelectivityResult,
  pool: TextPool,
): Truth | undefined {
  const spoken = new Set(pool.texts.map(({ property }) => property));
  const used = factors.flatMap(({ name }, at) => (spoken.has(name) ? [{ name, at }] : []));
  if (used.length < 2) return undefined;
  const shares = components.map(
    ({ name, factors: of }) => [name, used.map(({ at }) => of[at].share)] as const,
  );
  const groupings = findGroupings(index).filter(({ name }) => used.some((factor) => factor.name === name));
  const nested = groupings.flatMap((finer) =>
    groupings
      .filter((coarser) => coarser !== finer && determines(finer, coarser))
      .map((coarser) => [finer.name, coarser.name] as const),
  );
  const poolShares = used.map(
    ({ name }) => pool.texts.filter(({ property }) => property === name).length / pool.texts.length,
  );
  return { factors: used.map(({ name }) => name), shares: new Map(shares), poolShares, nested };
}

/**
 * Whether images with the same value of the first always have the same value of the second, where they have one; and not
 * because they all have the same.
 */
function determines(finer: Grouping, coarser: Grouping): boolean {
  if (finer.values.length <= coarser.values.length || finer.images < ENOUGH * finer.values.length)
    return false;
  const groupOf = new Map<number, number>();
  for (const [row, group] of finer.groups.entries()) {
    const other = coarser.groups[row];
    if (group < 0 || other < 0) continue;
    const known = groupOf.get(group);
    if (known !== undefined && known !== other) return false;
    groupOf.set(group, other);
  }
  return new Set(groupOf.values()).size > 1;
}
