/**
 * The three retrieval analyses of "Quantifying and Enabling the Interpretability of CLIP-like Models" (CLIP-InterpreT,
 * §5): property-based nearest-neighbour search, per-head nearest neighbours of an image, and per-head nearest
 * neighbours of a text. They differ in the probe alone:
 *
 * - an image through a set S: v = mean over S of what the heads wrote into the query, and a score is the mean over S of
 *   what they wrote into another image, times v; cross-head terms count, as in the original application;
 * - a text: v = its embedding over its length, and a score is what the set adds to the image's cosine with it.
 */
import type { Search } from "../../corpus/search.ts";
import { Random } from "../../math/random.ts";
import { type Distribution, distribution, largest, percentiles, smallest } from "../../math/rank.ts";
import type { ComponentSet } from "../../model/components.ts";
import type { Decomposition } from "../../model/decomposition.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { imageProbe, textProbe } from "../../model/probe.ts";

/** What a score says: the dot product (the paper's), a cosine, or deviations above the mean of all images. */
export const SCORINGS = ["dot", "cosine", "z"] as const;
export type Scoring = (typeof SCORINGS)[number];

/** What is looked for: an image as it was decomposed, or a text's embedding. */
export type Query =
  | { readonly kind: "image"; readonly decomposition: Decomposition; readonly sha256: string }
  | { readonly kind: "text"; readonly embedding: ArrayLike<number> };

/** How neighbours are chosen. */
export interface NeighborOptions {
  /** How many of each kind. Default: 8. */
  readonly k?: number;
  readonly scoring?: Scoring;
  /** Show the query itself when the index holds it. */
  readonly includeSelf?: boolean;
  /** Chooses the random images. */
  readonly seed?: number;
}

/** One image that was found. */
export interface Neighbor {
  /** Its position in the index. */
  readonly row: number;
  readonly score: number;
  /** The share of searched images that score lower, 0–100. */
  readonly percentile: number;
}

/** What a search found. */
export interface Neighbors {
  readonly nearest: readonly Neighbor[];
  /** The lowest scores, lowest first. */
  readonly least: readonly Neighbor[];
  /** Images drawn at random, against cherry-picking. */
  readonly random: readonly Neighbor[];
  /** Of the scores of all images that were searched. */
  readonly distribution: Distribution;
  readonly searched: number;
  /** Copies of the query that were left out. */
  readonly excluded: number;
}

/**
 * Finds the images of an index that are most and least like a query through some components.
 * @throws `HEADS_INVALID` for MLP terms that the index does not hold
 */
export async function findNeighbors(
  search: Search,
  geometry: HeadGeometry,
  query: Query,
  set: ComponentSet,
  { k = 8, scoring = "dot", includeSelf = false, seed = 0 }: NeighborOptions = {},
): Promise<Neighbors> {
  const read = query.kind === "image" ? meanOf(set) : set;
  const v =
    query.kind === "image" ? imageProbe(geometry, query.decomposition, read) : textProbe(query.embedding);
  const { images } = search.index;
  const self = new Set(
    query.kind === "image" && !includeSelf
      ? images.flatMap(({ sha256 }, row) => (sha256 === query.sha256 ? [row] : []))
      : [],
  );
  const scores = await search.scores(v, read);
  const rescale = await scale(search, v, read, scoring, scores);
  for (let row = 0; row < scores.length; row++) scores[row] = rescale(scores[row], row);
  const searched = scores.filter((_, row) => !self.has(row));

  /** Exact scores of some images, in the order that those give. */
  const exact = async (rows: readonly number[], sign: number): Promise<Neighbor[]> => {
    const raw = await search.exactScores(v, read, rows);
    const scored = rows.map((row, i) => ({ row, score: rescale(raw[i], row) }));
    if (sign !== 0) scored.sort((a, b) => sign * (b.score - a.score) || a.row - b.row);
    const chosen = scored.slice(0, k);
    const shares = percentiles(
      searched,
      chosen.map(({ row }) => scores[row]),
    );
    return chosen.map((found, i) => ({ ...found, percentile: shares[i] }));
  };
  // A few more than wanted, since float32 may have put near ties in another order.
  const SPARE = 16;
  return {
    nearest: await exact(largest(scores, k + SPARE, self), 1),
    least: await exact(smallest(scores, k + SPARE, self), -1),
    random: await exact(drawRows(scores.length, k, self, seed), 0),
    distribution: distribution(searched),
    searched: searched.length,
    excluded: self.size,
  };
}

/** The same components, each with its weight over their number: the mean instead of the sum. */
function meanOf(set: ComponentSet): ComponentSet {
  const count = set.heads.length + set.mlps.length;
  return {
    heads: set.heads.map((head) => ({ ...head, weight: head.weight / count })),
    mlps: set.mlps.map((term) => ({ ...term, weight: term.weight / count })),
  };
}

/** Turns a dot product into the score that was asked for. */
async function scale(
  search: Search,
  v: Float64Array,
  set: ComponentSet,
  scoring: Scoring,
  scores: Float64Array | Float32Array,
): Promise<(score: number, row: number) => number> {
  if (scoring === "dot") return (score) => score;
  if (scoring === "z") {
    const { mean, deviation } = distribution(scores);
    return (score) => (deviation === 0 ? 0 : (score - mean) / deviation);
  }
  const lengths = await search.lengths(set);
  const length = Math.hypot(...v);
  return (score, row) => {
    const both = lengths[row] * length;
    return both === 0 ? 0 : score / both;
  };
}

/** Different rows at random, none of `skip`. */
function drawRows(n: number, k: number, skip: ReadonlySet<number>, seed: number): number[] {
  const random = new Random(seed);
  const drawn = new Set<number>();
  const most = Math.min(k, n - skip.size);
  while (drawn.size < most) {
    const row = random.below(n);
    if (!skip.has(row)) drawn.add(row);
  }
  return [...drawn];
}
