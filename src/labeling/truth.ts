import { findGroupings, type Grouping } from "../analysis/selectivity/groupings.ts";
import type { Index } from "../corpus/open-index.ts";
import type { SelectivityResult } from "../results/selectivity.ts";
import type { TextPool } from "../text/pool.ts";
import { PROPERTY_FACTORS } from "../world/properties.ts";
import type { Truth } from "./calibration.ts";

/** What is known of the heads of an index. */
interface Measured {
  readonly factors: readonly Pick<SelectivityResult["factors"][number], "name">[];
  readonly heads: readonly {
    readonly name: string;
    readonly factors: readonly { readonly share: number }[];
  }[];
}

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
  const checked = properties.filter((property) => factors.some(({ name }) => speaksOf(property, name)));
  if (checked.length < 2) return undefined;
  const sharesOf = ({ factors: known, heads: of }: Measured): Truth["shares"] => {
    const shares = factorsOf(checked, known);
    return new Map(of.map((head) => [head.name, shares(head)]));
  };
  const groupings = findGroupings(index);
  const partition = (property: string) => groupings.find(({ name }) => name === property);
  return {
    factors: checked,
    shares: sharesOf({ factors, heads }),
    ...(halves && { halves: [sharesOf(halves[0]), sharesOf(halves[1])] as const }),
    poolShares: checked.map(
      (name) => texts.filter(({ property }) => property === name).length / texts.length,
    ),
    nested: checked.flatMap((finer) =>
      checked
        .filter((coarser) => determines(partition(finer), partition(coarser)))
        .map((coarser) => [finer, coarser] as const),
    ),
  };
}

/** Whether a pool's property speaks of a factor. */
export const speaksOf = (property: string, factor: string): boolean =>
  (PROPERTY_FACTORS[property] ?? [property]).includes(factor);

/**
 * What of a head the factors explain that each property speaks of: the highest ε² of those. A factor that was not measured,
 * since it takes one value in these images, explains nothing.
 */
export const factorsOf =
  (properties: readonly string[], factors: Measured["factors"]) =>
  (head: { readonly factors: readonly { readonly share: number }[] }): number[] =>
    properties.map((property) =>
      Math.max(
        0,
        ...factors.flatMap(({ name }, f) => (speaksOf(property, name) ? [head.factors[f].share] : [])),
      ),
    );

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
