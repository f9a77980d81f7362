/**
 * Images in their order along a direction that a head writes: not only the top of it, which shows what a reader wants to
 * see, but some of every tenth ("Sparse autoencoders find highly interpretable features", Cunningham et al. 2023, and
 * others since sample so).
 */
import type { Random } from "../../math/random.ts";
import { largest, smallest } from "../../math/rank.ts";
import type { AtlasDirection, AtlasShown } from "../../results/atlas.ts";

/** A direction in the joint space that a head writes along. */
export interface Axis extends Pick<AtlasDirection, "kind" | "name" | "property" | "explained"> {
  /** [D], of unit length. */
  readonly v: Float64Array;
}

/** Images along an axis, without their maps. */
export interface Placed {
  readonly histogram: AtlasDirection["histogram"];
  readonly most: readonly AtlasShown[];
  readonly least: readonly AtlasShown[];
  readonly deciles: readonly {
    readonly from: number;
    readonly to: number;
    readonly images: readonly AtlasShown[];
  }[];
  /** Rows of all images of the lowest and of the highest tenth, with those whose score is no further in. */
  readonly ends: { readonly least: readonly number[]; readonly most: readonly number[] };
}

/** How many images are shown of each part. */
const SHOWN = { most: 8, least: 8, decile: 2 } as const;
const BINS = 40;

/**
 * Places images along an axis.
 * @param raw [n]: what the head wrote along it
 * @param rows [n]: their rows in the index
 * @param preferred rows that a tenth's images are drawn from where it has enough of them
 */
export function placeImages(
  raw: Float64Array,
  rows: readonly number[],
  preferred: ReadonlySet<number>,
  random: Random,
): Placed {
  const n = raw.length;
  const mean = raw.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const scores = raw.map((value) => value - mean);
  const order = [...scores.keys()].sort((a, b) => scores[a] - scores[b] || a - b);
  const place = new Float64Array(n);
  for (const [at, i] of order.entries()) {
    const before = order[at - 1];
    // Equal scores have equal places.
    place[i] = at > 0 && scores[before] === scores[i] ? place[before] : at;
  }
  const shown = (i: number): AtlasShown => ({
    ...{ row: rows[i], score: scores[i], percentile: place[i] / Math.max(1, n) },
    map: null,
  });
  const least = scores[order[0]] ?? 0;
  const most = scores[order[n - 1]] ?? 0;
  const counts = new Array<number>(BINS).fill(0);
  for (const score of scores) {
    const bin = most > least ? Math.floor(((score - least) / (most - least)) * BINS) : 0;
    counts[Math.min(BINS - 1, bin)]++;
  }
  const tenths = Array.from({ length: 10 }, (_, tenth) =>
    order.slice(Math.floor((tenth * n) / 10), Math.floor(((tenth + 1) * n) / 10)),
  ).filter((tenth) => tenth.length > 0);
  const rowsWhere = (has: (score: number) => boolean) => rows.filter((_, i) => has(scores[i]));
  const [inner, outer] = [tenths[0]?.at(-1), tenths.at(-1)?.[0]];
  return {
    ends: {
      least: inner === undefined ? [] : rowsWhere((score) => score <= scores[inner]),
      most: outer === undefined ? [] : rowsWhere((score) => score >= scores[outer]),
    },
    histogram: { from: least, to: most, counts },
    most: largest(scores, SHOWN.most).map(shown),
    least: smallest(scores, SHOWN.least).map(shown),
    deciles: tenths.reverse().map((tenth) => {
      const known = tenth.filter((i) => preferred.has(rows[i]));
      const from = known.length >= SHOWN.decile ? known : tenth;
      const drawn = drawFrom(from, SHOWN.decile, random).sort((a, b) => scores[b] - scores[a] || a - b);
      return { from: scores[tenth[0]], to: scores[tenth[tenth.length - 1]], images: drawn.map(shown) };
    }),
  };
}

/** Some of a list at random, each once. */
export function drawFrom<T>(list: readonly T[], most: number, random: Random): T[] {
  const left = [...list];
  const count = Math.min(most, left.length);
  for (let i = 0; i < count; i++) {
    const j = i + random.below(left.length - i);
    [left[i], left[j]] = [left[j], left[i]];
  }
  return left.slice(0, count);
}
