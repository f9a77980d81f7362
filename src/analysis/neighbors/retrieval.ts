/**
 * Whether different heads retrieve by different properties. On one half of the images (even positions) each factor's
 * most selective heads are found; on the other half every image is a query, the eight nearest through those heads are
 * looked up among that half, and
 *
 *     precision@8 = the share of the eight that have the query's value of a factor
 *
 * averaged over queries, is given beside chance (the share of all other images that have it, averaged the same way) and
 * beside the whole embedding. Intervals are mean ± 1.96 standard errors over queries.
 *
 * Beside it stands whether the same few images are everyone's neighbours, by how often each is among the k nearest of another:
 * the skewness of that count is the measure of "Hubs in Space" (Radovanović et al. 2010).
 * A head that writes away from what it sees has weight −1: its product with itself stays as it is, and its
 * products with heads that write towards it count for what they have in common rather than against it.
 */
import type { Index } from "../../corpus/open-index.ts";
import { createSearch, type Search } from "../../corpus/search.ts";
import { addScaled, norm } from "../../math/linear.ts";
import { distribution, largest } from "../../math/rank.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allComponents, type ComponentSet } from "../../model/components.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import { originOf } from "../../results/origin.ts";
import {
  type Hubness,
  type MeanShare,
  type RetrievalResult,
  retrievalResult,
} from "../../results/retrieval.ts";
import { defaultScoring, type Scoring } from "../../results/scoring.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { findGroupings, type Grouping } from "../selectivity/groupings.ts";
import { explainWithSigns, selectiveHeads } from "../selectivity/selectivity.ts";

/** How retrieval is measured. */
export interface RetrievalOptions extends WorkOptions {
  readonly k?: number;
  /** Default: `centred`, as for the neighbours of an image. */
  readonly scoring?: Scoring;
  /** Heads a factor, most selective first; of several numbers a set each. Default: 3. */
  readonly headsPerFactor?: number | readonly number[];
  /** Most queries; more are thinned evenly. */
  readonly queries?: number;
  /** Random permutations that a chosen head must beat. Default: 20. */
  readonly permutations?: number;
  /** Where embeddings of texts are kept. Default: this program's cache. */
  readonly textCache?: string;
}

/** Measures precision@k by every factor. @throws `FACTORS_MISSING`, `CANCELLED` */
export async function measureRetrieval(
  model: ClipModel,
  index: Index,
  {
    k = 8,
    scoring = defaultScoring("image"),
    headsPerFactor = 3,
    queries = 2000,
    permutations = 20,
    textCache,
    report,
    signal,
  }: RetrievalOptions = {},
): Promise<RetrievalResult> {
  const { geometry, matmul } = model;
  const n = index.images.length;
  const half = (parity: 0 | 1) =>
    Array.from({ length: n }, (_, row) => row).filter((row) => row % 2 === parity);
  const selectivity = await explainWithSigns(model, index, {
    rows: half(0),
    permutations,
    ...(report && { report }),
    ...(signal && { signal }),
    ...(textCache !== undefined && { textCache }),
  });
  const perFactor = [headsPerFactor].flat();
  const chosen = selectiveHeads(selectivity, Math.max(...perFactor));
  const tested = half(1);
  const asked = thin(tested.length, queries);
  const known = new Map(findGroupings(index, tested).map((grouping) => [grouping.name, grouping]));
  const groupings = selectivity.factors.flatMap(({ name }) => known.get(name) ?? []);
  const search = createSearch(index, geometry, matmul);
  const sets = [
    { chosenFor: "embedding", heads: [], set: allComponents(geometry) },
    ...Object.entries(chosen)
      .flatMap(([chosenFor, heads]) =>
        [...new Set(perFactor.map((most) => Math.min(most, heads.length)))].map(
          (count) => [chosenFor, heads.slice(0, count)] as const,
        ),
      )
      .filter(([, heads]) => heads.length > 0)
      .map(([chosenFor, heads]) => {
        const set = { heads: heads.map(({ layer, head, weight }) => ({ layer, head, weight })), mlps: [] };
        return { chosenFor, heads, set };
      }),
  ];
  const rows: RetrievalResult["rows"] = [];
  for (const { chosenFor, heads, set } of sets) {
    checkCancelled(signal);
    const nearest = await nearestThrough(search, matmul, set, { tested, asked, k, scoring });
    rows.push({
      chosenFor,
      heads,
      hubness: hubnessOf(nearest, tested.length),
      precisionAtK: groupings.map((grouping) => precisionOf(grouping, tested, asked, nearest)),
    });
  }
  return retrievalResult(await originOf({ model, index }), {
    ...{ k, scoring },
    factors: groupings.map((grouping) => {
      const { chance, count } = chanceOf(grouping, tested, asked);
      return { name: grouping.name, queries: count, chance };
    }),
    rows,
  });
}

/** Of each image that is asked for, the k nearest others through a set: positions among those that are looked through. */
export async function nearestThrough(
  search: Search,
  matmul: MatMul,
  set: ComponentSet,
  {
    tested,
    asked,
    k,
    scoring,
  }: {
    /** Rows of the index that are looked through. */
    readonly tested: readonly number[];
    /** Positions among them that are queries. */
    readonly asked: readonly number[];
    readonly k: number;
    readonly scoring: Scoring;
  },
): Promise<number[][]> {
  // What is compared by itself: each head where scores are centred, else all together.
  const apart = scoring === "centred" && set.mlps.length === 0;
  const parts: Float64Array[] = [];
  for (const part of apart ? set.heads.map((head) => ({ heads: [head], mlps: [] })) : [set])
    parts.push(await search.contributions(part, tested));
  const dense = featuresOf(parts, search.manifest.embedDim, scoring);
  const width = dense.length / tested.length;
  const nearest: number[][] = [];
  for (const query of asked) {
    const scores = await matmul(
      { data: dense, dims: [1, tested.length, width] },
      { data: dense.slice(query * width, (query + 1) * width), dims: [1, width, 1] },
    );
    nearest.push(largest(scores, k, new Set([query])));
  }
  return nearest;
}

/**
 * What parts of a set wrote into images, [n, D] each, side by side, so that the score of two images is the dot product of
 * their rows. A z score puts images in the order of their dot products.
 */
function featuresOf(parts: readonly Float64Array[], embedDim: number, scoring: Scoring): Float32Array {
  const n = parts.length === 0 ? 0 : parts[0].length / embedDim;
  const width = parts.length * embedDim;
  const features = new Float32Array(n * width);
  for (const [p, part] of parts.entries()) {
    const mean = new Float64Array(embedDim);
    if (scoring === "centred") for (let i = 0; i < n; i++) addScaled(mean, 1 / n, part, i * embedDim);
    for (let i = 0; i < n; i++) {
      const own = part.subarray(i * embedDim, (i + 1) * embedDim).map((value, d) => value - mean[d]);
      const length = scoring === "centred" || scoring === "cosine" ? norm(own) || 1 : 1;
      features.set(
        Float32Array.from(own, (value) => value / length),
        i * width + p * embedDim,
      );
    }
  }
  return features;
}

/** How often images are among the nearest of others. */
export function hubnessOf(nearest: readonly (readonly number[])[], images: number): Hubness {
  const counts = new Float64Array(images);
  for (const list of nearest) for (const image of list) counts[image]++;
  const { mean, deviation, most } = distribution(counts);
  const cubes = counts.reduce((sum, count) => sum + (count - mean) ** 3, 0);
  return {
    never: counts.filter((count) => count === 0).length / images,
    most,
    skewness: deviation === 0 ? 0 : cubes / images / deviation ** 3,
  };
}

/** At most `most` of n positions, evenly spread. */
const thin = (n: number, most: number): number[] =>
  Array.from({ length: Math.min(n, most) }, (_, i) => Math.floor((i * n) / Math.min(n, most)));

/** precision@k: the mean share of neighbours that have the query's value, over the queries that have one. */
export function precisionOf(
  { groups }: Grouping,
  tested: readonly number[],
  asked: readonly number[],
  nearest: readonly (readonly number[])[],
): MeanShare {
  const shares: number[] = [];
  for (const [i, query] of asked.entries()) {
    const group = groups[tested[query]];
    if (group < 0) continue;
    const hits = nearest[i].filter((position) => groups[tested[position]] === group).length;
    shares.push(hits / nearest[i].length);
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance =
    shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / Math.max(1, shares.length - 1);
  const reach = 1.96 * Math.sqrt(variance / shares.length);
  return { mean, low: Math.max(0, mean - reach), high: Math.min(1, mean + reach) };
}

/** What drawing at random would give: the share of all other images with the query's value. */
function chanceOf({ groups }: Grouping, tested: readonly number[], asked: readonly number[]) {
  const sizes = new Map<number, number>();
  for (const row of tested) sizes.set(groups[row], (sizes.get(groups[row]) ?? 0) + 1);
  const queries = asked.map((query) => groups[tested[query]]).filter((group) => group >= 0);
  const shares = queries.map((group) => ((sizes.get(group) ?? 1) - 1) / (tested.length - 1));
  return { count: queries.length, chance: shares.reduce((sum, share) => sum + share, 0) / shares.length };
}
