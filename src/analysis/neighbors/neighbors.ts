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
import { everyRow, type ShardedIndex } from "../../corpus/sharded-index.ts";
import { dot, norm } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import { distribution, largest, percentiles, smallest } from "../../math/rank.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet, NamedSet } from "../../model/components.ts";
import type { Decomposition } from "../../model/decomposition.ts";
import { truncatedIn } from "../../model/notices.ts";
import { pixelsOf } from "../../model/pixels.ts";
import { imageProbe, unitProbe } from "../../model/probe.ts";
import { type Neighbor, type NeighborsResult, neighborsResult } from "../../results/neighbors.ts";
import { type ImageOrigin, originOf } from "../../results/origin.ts";
import { defaultScoring, type Scoring } from "../../results/scoring.ts";
import { componentsOf, indexedImage } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { commonValues } from "../selectivity/common.ts";
import { type KnownFactors, readGroupings } from "../selectivity/groupings.ts";

/** What is looked for: an image as it was decomposed, or a text with its embedding. */
export type Query =
  | { readonly image: ImageOrigin; readonly decomposition: Decomposition }
  | { readonly text: string; readonly embedding: ArrayLike<number> };

/** The same before it is encoded: a text, or the path of an image. */
export type Asked = Query | { readonly text: string } | { readonly image: string };

/** How neighbours are chosen. */
export interface NeighborOptions {
  /** How many of each kind. Default: 8. */
  readonly k?: number;
  /** Default: `centred` for an image, `dot` for a text. */
  readonly scoring?: Scoring;
  /** Show the query itself when the index holds it. */
  readonly includeSelf?: boolean;
  /** Chooses the random images. */
  readonly seed?: number;
}

/** Asks for a text. @throws `TEXTS_EMPTY` for a blank one */
export async function textQuery(model: ClipModel, text: string, work: WorkOptions = {}): Promise<Query> {
  if (text.trim() === "") throw new ClipInterpretError("TEXTS_EMPTY", "the text is blank");
  return { text, embedding: await model.encodeTexts([text], work) };
}

/**
 * Asks for an image, read as the index's images were: with the same preprocessing.
 * @throws what decoding an image throws
 */
export async function imageQuery(
  model: ClipModel,
  { manifest }: Pick<ShardedIndex, "manifest">,
  path: string,
): Promise<Query> {
  const { exif } = manifest.preprocessing;
  const { pixels, shown } = await pixelsOf(model, path, { exif });
  return {
    decomposition: await model.decompose(pixels),
    image: { name: path, label: null, sha256: shown.sha256 },
  };
}

/**
 * Finds the images of an index that are most and least like a query through some components.
 * @param search over an index that the model made
 * @throws `HEADS_INVALID` for MLP terms that the index does not hold; `TEXTS_EMPTY` for a blank text; what decoding an
 *   image throws
 * @example
 * ```ts
 * import { findNeighbors, openIndex, openModel, parseHeads } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const image = "examples/scenes/images/0067-monkey.png";
 * const { neighbors } = await findNeighbors(model, index, { image }, parseHeads(model, "L1.H0"), { k: 2 });
 * for (const { path, score } of neighbors) console.log(path, score.toFixed(4));
 * // → images/0067-monkey.png 1.0000
 * // → images/0018-clown.png 0.9763
 * const found = await findNeighbors(model, index, { text: "a bicycle" }, parseHeads(model, "last2"), { k: 1 });
 * console.log(found.neighbors[0].label); // → bicycle
 * ```
 */
export async function findNeighbors(
  model: ClipModel,
  search: Search<ShardedIndex>,
  asked: Asked,
  { name, set }: NamedSet,
  { k = 8, scoring: asks, includeSelf = false, seed = 0 }: NeighborOptions = {},
): Promise<NeighborsResult> {
  const query = await queryOf(model, search, asked);
  const image = "image" in query ? query.image : undefined;
  const kind = "image" in query ? "image" : "text";
  const scoring = asks ?? defaultScoring(kind);
  const self = new Set(image && !includeSelf ? await search.index.find("sha256", image.sha256) : []);
  const { scores, exactly } = await (scoring === "centred"
    ? centredScores(model, search, query, set)
    : scaledScores(model, search, query, set, scoring));
  const searched = self.size === 0 ? scores : scores.filter((_, row) => !self.has(row));

  /** Exact scores of some images, in the order that those give. */
  const exact = async (rows: readonly number[], sign: number): Promise<Neighbor[]> => {
    const known = await exactly(rows);
    const scored = rows.map((row, i) => ({ row, score: known[i] }));
    if (sign !== 0) scored.sort((a, b) => sign * (b.score - a.score) || a.row - b.row);
    const chosen = scored.slice(0, k);
    const shares = percentiles(
      searched,
      chosen.map(({ row }) => scores[row]),
    );
    const images = await search.index.rows(chosen.map(({ row }) => row));
    return chosen.map(({ row, score }, i) => ({
      ...indexedImage(row, images[i]),
      ...{ score, percentile: shares[i] },
    }));
  };
  // A few more than wanted, since float32 may have put near ties in another order.
  const SPARE = 16;
  const origin = await originOf({ model, index: search.index, ...(image && { image }) });
  const neighbors = await exact(largest(scores, k + SPARE, self), 1);
  const least = await exact(smallest(scores, k + SPARE, self), -1);
  return neighborsResult(origin, {
    query: "image" in query ? { image: query.image.name } : { text: query.text },
    components: componentsOf(name, set, model.geometry),
    ...("text" in query && (await truncatedIn(model, [query.text]))),
    scoring,
    searched: searched.length,
    excluded: self.size,
    distribution: distribution(searched),
    ...{ neighbors, least },
    random: await exact(drawRows(scores.length, k, self, seed), 0),
    common: await commonOf(search.index, self, { neighbors, least }),
  });
}

/** What is known of an index's images, read once. */
const known = new WeakMap<ShardedIndex, Promise<KnownFactors>>();
/** Of more images all rows would have to be read for each process, which takes longer than the search. */
const MOST_KNOWN = 200_000;

/** What the images found have in common. */
async function commonOf(
  index: ShardedIndex,
  self: ReadonlySet<number>,
  found: Readonly<Record<"neighbors" | "least", readonly Neighbor[]>>,
): Promise<NeighborsResult["common"]> {
  if (index.images.length > MOST_KNOWN) return null;
  const reading = known.get(index) ?? readGroupings(index, undefined);
  known.set(index, reading);
  reading.catch(() => known.delete(index));
  const { groupings, tooMany } = await reading;
  if (groupings.length + tooMany.length === 0) return null;
  const leftOut = [...tooMany];
  const rows = everyRow(index).filter((row) => !self.has(row));
  const sets = [found.neighbors, found.least].map((set) => set.map(({ row }) => row));
  if (sets[0].length === 0) return { neighbors: [], least: [], leftOut };
  const [neighbors, least] = commonValues(rows, groupings)(sets);
  return { neighbors, least, leftOut };
}

async function queryOf(model: ClipModel, index: ShardedIndex, asked: Asked): Promise<Query> {
  if ("decomposition" in asked || "embedding" in asked) return asked;
  return "text" in asked ? textQuery(model, asked.text) : imageQuery(model, index, asked.image);
}

/** The same components, each with its weight over their number: the mean instead of the sum. */
function meanOf(set: ComponentSet): ComponentSet {
  const count = set.heads.length + set.mlps.length;
  return {
    heads: set.heads.map((head) => ({ ...head, weight: head.weight / count })),
    mlps: set.mlps.map((term) => ({ ...term, weight: term.weight / count })),
  };
}

/** Scores of all images, and more exact ones of some. */
interface Scores {
  /** [n] */
  readonly scores: Float64Array | Float32Array;
  readonly exactly: (rows: readonly number[]) => Promise<Float64Array>;
}

/** Dot products, or what the scoring makes of them. */
async function scaledScores(
  model: ClipModel,
  search: Search<ShardedIndex>,
  query: Query,
  set: ComponentSet,
  scoring: Exclude<Scoring, "centred">,
): Promise<Scores> {
  const read = "image" in query ? meanOf(set) : set;
  const v = "image" in query ? imageProbe(model, query.decomposition, read) : unitProbe(query.embedding);
  const scores = await search.scores(v, read);
  const rescale = await scale(search, v, read, scoring, scores);
  for (let row = 0; row < scores.length; row++) scores[row] = rescale(scores[row], row);
  return {
    scores,
    exactly: async (rows) =>
      (await search.exactScores(v, read, rows)).map((score, i) => rescale(score, rows[i])),
  };
}

/**
 * Cosines from the mean of all images: (head(image) − mean)·(head(query) − mean) over both lengths, for each head of the
 * set by itself, and averaged with the squares of their weights. So no head is heard for being loud, none for what it
 * writes into every image, and heads that write against each other do not cancel. A text is not divided into heads: it is
 * compared with what they wrote together. Nor is a set with MLP terms, which an index need not hold one by one.
 */
async function centredScores(
  model: ClipModel,
  search: Search<ShardedIndex>,
  query: Query,
  set: ComponentSet,
): Promise<Scores> {
  const parts =
    "image" in query && set.mlps.length === 0
      ? set.heads.map(({ layer, head, weight }) => ({
          part: { heads: [{ layer, head, weight: 1 }], mlps: [] },
          share: weight ** 2,
        }))
      : [{ part: set, share: 1 }];
  const shares = parts.reduce((sum, { share }) => sum + share, 0);
  /** [rows]: the mean of the parts' cosines. One part after another: each may be a large block. */
  const total = async (
    n: number,
    rowOf: (i: number) => number,
    raw: (probe: Float64Array, part: ComponentSet) => Promise<ArrayLike<number>>,
  ): Promise<Float64Array> => {
    const sums = new Float64Array(n);
    for (const { part, share } of parts) {
      const { mean, lengths } = await search.centred(part);
      const probe =
        "image" in query
          ? imageProbe(model, query.decomposition, part).map((value, d) => value - mean[d])
          : unitProbe(query.embedding);
      const weight = share / shares / norm(probe);
      if (!Number.isFinite(weight)) continue;
      const scores = await raw(probe, part);
      const middle = dot(mean, probe);
      // What differs from the mean by rounding alone has no direction.
      const least = FLAT * norm(mean);
      for (let i = 0; i < n; i++) {
        const length = lengths[rowOf(i)];
        if (length > least) sums[i] += (weight * (scores[i] - middle)) / length;
      }
    }
    return sums;
  };
  return {
    scores: await total(search.index.images.length, (i) => i, search.scores),
    exactly: (rows) =>
      total(
        rows.length,
        (i) => rows[i],
        (probe, part) => search.exactScores(probe, part, rows),
      ),
  };
}

/** A spread of scores below this share of the largest is rounding. */
const FLAT = 1e-6;

/** Turns a dot product into the score that was asked for. */
async function scale(
  search: Search<ShardedIndex>,
  v: Float64Array,
  set: ComponentSet,
  scoring: Exclude<Scoring, "centred">,
  scores: Float64Array | Float32Array,
): Promise<(score: number, row: number) => number> {
  if (scoring === "dot") return (score) => score;
  if (scoring === "z") {
    const { mean, deviation, least, most } = distribution(scores);
    // Scores are in float32: a spread of their rounding is none.
    const flat = deviation <= FLAT * Math.max(Math.abs(least), Math.abs(most));
    return (score) => (flat ? 0 : (score - mean) / deviation);
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
