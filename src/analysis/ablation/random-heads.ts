/** Random heads to hold a chosen set against: whatever is said of some heads must not be true of any heads. */
import { Random } from "../../math/random.ts";
import type { ComponentSet } from "../../model/components.ts";
import type { ControlBand } from "../../results/accuracy.ts";
import { directionUnit, type UnitSizes, unitSet } from "./ablation.ts";

/** Sets to compare with. */
export interface Controls {
  /** Head numbers, layer·H + head, each set in order; no two sets alike. */
  readonly sets: readonly (readonly number[])[];
  /** Whether these are all there are. */
  readonly exhaustive: boolean;
}

/** C(n, k), infinite when it cannot be counted exactly. */
export function combinations(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) {
    count = (count * (n - i + 1)) / i;
    if (count > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  return k > n ? 0 : Math.round(count);
}

/**
 * Sets of k heads from `pool`: `draws` different ones at random, or all of them when there are no more.
 * @param except head numbers of a set that is not to be among them
 */
export function drawControls(
  pool: readonly number[],
  k: number,
  draws: number,
  { seed = 0, except = [] }: { readonly seed?: number; readonly except?: readonly number[] } = {},
): Controls {
  const excepted = keyOf(except);
  const has = except.length === k && except.every((unit) => pool.includes(unit));
  const possible = combinations(pool.length, k) - (has ? 1 : 0);
  if (k === 0 || possible <= 0) return { sets: [], exhaustive: true };
  if (possible <= draws) {
    const sets = everySubset([...pool].sort(byNumber), k);
    return { sets: sets.filter((set) => keyOf(set) !== excepted), exhaustive: true };
  }
  const random = new Random(seed, k);
  const seen = new Set(has ? [excepted] : []);
  const sets: number[][] = [];
  while (sets.length < draws) {
    const left = [...pool];
    const set = Array.from({ length: k }, () => left.splice(random.below(left.length), 1)[0]).sort(byNumber);
    if (seen.has(keyOf(set))) continue;
    seen.add(keyOf(set));
    sets.push(set);
  }
  return { sets, exhaustive: false };
}

/**
 * Sets with as many other directions, with the same weights, beside the same heads and MLPs.
 * @param from the same heads' directions, or all of the same layers'
 */
export function drawDirections(
  set: ComponentSet,
  from: "heads" | "layers",
  draws: number,
  sizes: UnitSizes,
  seed: number,
): { readonly sets: readonly ComponentSet[]; readonly exhaustive: boolean } {
  const { directions: own = [] } = set;
  const { heads, headDim } = sizes;
  const count = from === "heads" ? headDim : heads * headDim;
  const starts = own.map(({ layer, head }) =>
    directionUnit(sizes, { layer, head: from === "heads" ? head : 0, direction: 0 }),
  );
  const pool = [...new Set(starts)].flatMap((unit) => Array.from({ length: count }, (_, k) => unit + k));
  const except = own.map((along) => directionUnit(sizes, along));
  const { sets, exhaustive } = drawControls(pool, own.length, draws, { seed, except });
  return {
    exhaustive,
    sets: sets.map((units) => {
      const { directions = [] } = unitSet(units, sizes);
      return { ...set, directions: directions.map((along, i) => ({ ...along, weight: own[i].weight })) };
    }),
  };
}

const byNumber = (a: number, b: number) => a - b;
const keyOf = (units: readonly number[]) => [...units].sort(byNumber).join();

function everySubset(pool: readonly number[], k: number): number[][] {
  if (k === 0) return [[]];
  return pool.flatMap((unit, i) => everySubset(pool.slice(i + 1), k - 1).map((rest) => [unit, ...rest]));
}

/** `draws` random orders of `units`: the first k of an order are k of them drawn at random, for every k. */
export function randomOrders(units: readonly number[], draws: number, seed = 0): number[][] {
  return Array.from({ length: draws }, (_, draw) => {
    const random = new Random(seed, draw);
    const order = [...units];
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  });
}

/** Whether two lists hold the same heads. */
export const sameHeads = (a: readonly number[], b: readonly number[]): boolean => keyOf(a) === keyOf(b);

/** Where `own` lies among the values of controls; null without controls. */
export function bandOf(values: readonly number[], own: number, exhaustive: boolean): ControlBand | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort(byNumber);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return below + (above - below) * (place - Math.floor(place));
  };
  const shareWhere = (test: (value: number) => boolean) => values.filter(test).length / values.length;
  return {
    draws: values.length,
    exhaustive,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    low: at(0.025),
    high: at(0.975),
    least: sorted[0],
    most: sorted[sorted.length - 1],
    atMost: shareWhere((value) => value <= own),
    atLeast: shareWhere((value) => value >= own),
  };
}
