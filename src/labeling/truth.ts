import { findGroupings, type Grouping } from "../analysis/selectivity/groupings.ts";
import type { Index } from "../corpus/open-index.ts";
import type { SelectivityResult } from "../results/selectivity.ts";
import type { TextPool } from "../text/pool.ts";
import { PROPERTY_FACTORS } from "../world/properties.ts";
import type { Truth } from "./calibration.ts";

/** What is known of the heads of an index. */
type Measured = Pick<SelectivityResult, "factors" | "heads">;

/** Images a group on average, at least, for a partition to say anything about another. */
const ENOUGH = 4;

/**
 * What is known of the heads of an index, for a pool whose properties speak of factors of its images: those that
 * {@link PROPERTY_FACTORS} names, else the factor of the property's own name. Of several factors the one that explains most
 * counts. `halves` are the same numbers by each half of the images. Undefined where fewer than two properties can be checked: any label would be right.
 */
export function truthOf(
  index: Pick<Index, "images">,
  { factors, heads }: Measured,
  { texts }: TextPool,
  halves?: readonly [Measured, Measured],
): Truth | undefined {
  const properties = [...new Set(texts.flatMap(({ property }) => (property === null ? [] : [property])))];
  const checked = properties.flatMap((property) => {
    const names = PROPERTY_FACTORS[property] ?? [property];
    const at = factors.flatMap(({ name }) => (names.includes(name) ? [name] : []));
    return at.length === 0 ? [] : [{ property, at }];
  });
  if (checked.length < 2) return undefined;
  const sharesOf = ({ factors: known, heads: of }: Measured): Truth["shares"] =>
    new Map(
      of.map((head) => [
        head.name,
        // A factor that takes one value in half of the images is not measured there.
        checked.map(({ at }) =>
          Math.max(0, ...known.flatMap(({ name }, f) => (at.includes(name) ? [head.factors[f].share] : []))),
        ),
      ]),
    );
  const groupings = findGroupings(index);
  const partition = (property: string) => groupings.find(({ name }) => name === property);
  const names = checked.map(({ property }) => property);
  return {
    factors: names,
    shares: sharesOf({ factors, heads }),
    ...(halves && { halves: [sharesOf(halves[0]), sharesOf(halves[1])] as const }),
    poolShares: names.map((name) => texts.filter(({ property }) => property === name).length / texts.length),
    nested: names.flatMap((finer) =>
      names
        .filter((coarser) => determines(partition(finer), partition(coarser)))
        .map((coarser) => [finer, coarser] as const),
    ),
  };
}

/**
 * Whether images with the same value of the first always have the same value of the second, where they have one; and not
 * because they all have the same.
 */
function determines(finer: Grouping | undefined, coarser: Grouping | undefined): boolean {
  if (
    !finer ||
    !coarser ||
    finer.values.length <= coarser.values.length ||
    finer.images < ENOUGH * finer.values.length
  )
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
