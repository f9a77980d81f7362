/**
 * What heads can write, from their weights alone: the singular vectors of each head's map into the joint space, as sparse,
 * non-negative sums of texts. After "From Weights to Concepts: Data-Free Interpretability of CLIP via Singular Vector Decomposition"
 * (SITH; Gentile et al., 2026, arXiv 2603.24653), with these differences:
 *
 * - The map ends in the joint space, with the last norm's γ and the projection in it, as contributions are measured everywhere here;
 *   the paper takes singular vectors in the residual stream and projects them afterwards, which loses that they are orthogonal and
 *   ordered by what reaches the embedding.
 * - Both ends of a direction are described, and the better one comes first; the paper has one, chosen by the largest entry on the left.
 * - No mean of images is taken off a direction, which is a difference already, and none would be known without images.
 * - Beside stand the cosines that directions drawn at random reach with the same pool.
 *
 * Weighted by the variance that the images of an index give each direction, it becomes comparable with TEXTSPAN.
 */
import { requireImages } from "../../corpus/few-images.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { percentileInterval } from "../../math/intervals.ts";
import { dot, multiply, norm } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads, type ComponentSet, type WeightedHead } from "../../model/components.ts";
import { coordinateCount, headMatrix } from "../../model/head-space.ts";
import {
  type HeadDirections,
  requireDirections,
  singularDirections,
} from "../../model/singular-directions.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import { type FromWeightsResult, fromWeightsResult, type WrittenHead } from "../../results/from-weights.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { PoolText, TextPool } from "../../text/pool.ts";
import { embedPool, type PoolOptions } from "../textspan/describe-heads.ts";
import { centredTexts, describeEnds, type Ends, endsInWords } from "./ends.ts";
import { COHERENCE, type PursuitOptions, type SparseSum, TEXTS_A_DIRECTION } from "./pursuit.ts";

/** How heads are described from their weights. */
export interface FromWeightsOptions extends PursuitOptions, WorkOptions {
  /** Heads to describe; weights do not matter. Default: all. */
  readonly set?: Pick<ComponentSet, "heads">;
  /** Directions a head that are described. Default: 8. */
  readonly directions?: number;
  /** Images of this model: directions are then ordered by the variance that these give them, and texts weighted by it. */
  readonly index?: ShardedIndex | undefined;
  /** Threads of the products; 0 takes every core. */
  readonly threads?: number;
}

/** Directions a head that are described. */
export const DESCRIBED_DIRECTIONS = 8;
/** Texts of a head as a whole. */
const HEAD_TEXTS = 10;
/** Singular values below this share of the largest are rounding. */
const RANK_TOLERANCE = 1e-6;
/** Heads whose directions are described at once. */
const HEADS_AT_ONCE = 16;

/** A direction of a head as numbers. */
export interface SpannedDirection {
  /** Place by singular value, from 0. */
  readonly direction: number;
  readonly singularValue: number;
  /** σ² over the sum of all. */
  readonly share: number;
  /** Of the variance of the head's contributions; null without an index. */
  readonly varianceShare: number | null;
  /** v, [D]: turned so that `ends[0]` is what +v says. */
  readonly write: Float64Array;
  /** Sums of texts for v and −v; the better first. */
  readonly ends: readonly [SparseSum, SparseSum];
}

/** A head's directions as numbers. */
export interface SpannedHead {
  readonly layer: number;
  readonly head: number;
  /** All d_h of them, largest first. */
  readonly singularValues: Float64Array;
  /** The first ones, by singular value or, with an index, by variance. */
  readonly directions: readonly SpannedDirection[];
  /** Places of texts in the pool with their weight in the head as a whole, largest first. */
  readonly texts: readonly { readonly index: number; readonly weight: number }[];
}

/**
 * The method on numbers: for each head its singular values, directions, and these in texts.
 * @param texts [t, D]: the pool's embeddings, of length 1; their mean is taken off here
 * @throws `MODEL_UNSUPPORTED` for a model that pools by attention, `POOL_INVALID` for fewer than two texts, `NO_IMAGES`,
 *   `FEW_IMAGES`, `CANCELLED`
 */
export async function spanFromWeights(
  model: ClipModel,
  texts: Float32Array | Float64Array,
  options: FromWeightsOptions = {},
): Promise<SpannedHead[]> {
  return withAlgebra(model, options, (algebra) =>
    spanWith(algebra, model, centredTexts(texts, model.config.embedDim), options),
  );
}

/**
 * Describes what heads can write in the texts of a pool, without an image.
 * @param options `draws`: directions drawn at random for the level of chance; 0 draws none. Default: 200
 * @throws what `spanFromWeights` and embedding texts throw
 * @example
 * ```ts
 * import { openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, describeFromWeights, loadPool } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const pool = await loadPool(defaultPool(model.name));
 * const { heads } = await describeFromWeights(model, pool, { set: parseHeads(model, "L3.H1"), directions: 1 });
 * const [{ singularValue, ends }] = heads[0].directions;
 * console.log(singularValue.toFixed(3), ends[0].texts[0].text);
 * // → 7.026 a spoon
 * ```
 */
export async function describeFromWeights(
  model: ClipModel,
  pool: TextPool,
  { draws = 200, seed = 0, ...options }: FromWeightsOptions & PoolOptions & ChanceOptions = {},
): Promise<FromWeightsResult> {
  requireDirections(model);
  const { index, texts: textsPerEnd = TEXTS_A_DIRECTION, coherence = COHERENCE } = options;
  const { embedDim } = model.config;
  const texts = centredTexts(await embedPool(model, pool, options), embedDim);
  return withAlgebra(model, options, async (algebra) => {
    const heads = await spanWith(algebra, model, texts, options);
    const chance = await chanceCosines(algebra, texts, draws, seed, options);
    const origin = await originOf({ model, pool });
    return fromWeightsResult(origin, {
      index: index ? (await originOf({ index })).index : null,
      weighting: index ? "variance" : "singular value",
      ...{ coherence, textsPerEnd, seed },
      chance: chance && { mean: chance.mean, high: chance.high, draws },
      heads: heads.map((head) => inWords(head, pool.texts)),
    });
  });
}

/** How the level of chance is found. */
export interface ChanceOptions {
  readonly draws?: number;
  readonly seed?: number;
}

async function withAlgebra<T>(
  model: Pick<ClipModel, "openAlgebra">,
  { threads = 0 }: FromWeightsOptions,
  work: (algebra: Algebra) => Promise<T>,
): Promise<T> {
  const algebra = await model.openAlgebra({ threads });
  try {
    return await work(algebra);
  } finally {
    await algebra.release();
  }
}

async function spanWith(
  algebra: Algebra,
  model: ClipModel,
  texts: DenseMatrix,
  options: FromWeightsOptions,
): Promise<SpannedHead[]> {
  const { index, report, signal, directions: most = DESCRIBED_DIRECTIONS } = options;
  const { geometry } = model;
  const { heads } = options.set ?? allHeads(geometry);
  const directionsOf = singularDirections(model);
  if (index) requireImages(index, 2, report);
  const moments = await index?.moments();
  const task = "reading heads";
  report?.({ type: "start", task, unit: "head", total: heads.length });
  const spanned: SpannedHead[] = [];
  for (let start = 0; start < heads.length; start += HEADS_AT_ONCE) {
    const some: Chosen[] = [];
    for (const head of heads.slice(start, start + HEADS_AT_ONCE)) {
      checkCancelled(signal);
      const found = await directionsOf(head.layer, head.head);
      some.push(chooseDirections(found, head, moments && variances(model, head, found, moments), most));
    }
    const writes = some.flatMap(({ directions }) => directions.map(({ write }) => write));
    const described = await describeEnds(algebra, texts, writes, options);
    let at = 0;
    for (const chosen of some) {
      const count = chosen.directions.length;
      spanned.push(spannedHead(chosen, described.slice(at, at + count)));
      at += count;
    }
    report?.({ type: "advance", task, done: spanned.length, total: heads.length });
  }
  report?.({ type: "end", task, done: heads.length });
  return spanned;
}

/** A head's directions that are to be described, without their texts. */
interface Chosen {
  readonly layer: number;
  readonly head: number;
  readonly singularValues: Float64Array;
  readonly directions: readonly Omit<SpannedDirection, "ends">[];
}

function chooseDirections(
  { values, writes }: HeadDirections,
  { layer, head }: WeightedHead,
  varianceShares: Float64Array | undefined,
  most: number,
): Chosen {
  const D = writes.length / Math.max(1, values.length);
  const squares = dot(values, values);
  const order = [...values.keys()].filter((k) => values[k] > RANK_TOLERANCE * values[0]);
  if (varianceShares) order.sort((a, b) => varianceShares[b] - varianceShares[a] || a - b);
  return {
    ...{ layer, head, singularValues: values },
    directions: order.slice(0, most).map((k) => ({
      ...{ direction: k, singularValue: values[k], share: values[k] ** 2 / squares },
      varianceShare: varianceShares ? varianceShares[k] : null,
      write: writes.slice(k * D, (k + 1) * D),
    })),
  };
}

/** What share of the variance of a head's contributions to an index's images lies along each of its directions. */
function variances(
  { geometry }: ClipModel,
  { layer, head }: WeightedHead,
  { values, writes }: HeadDirections,
  allMoments: Float64Array,
): Float64Array {
  const m = coordinateCount(geometry);
  const size = (m + 1) ** 2;
  const from = (layer * geometry.heads + head) * size;
  const images = allMoments[from + size - 1];
  const mean = (i: number) => allMoments[from + i * (m + 1) + m] / images;
  const covariance = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++)
      covariance[i * m + j] = allMoments[from + i * (m + 1) + j] / images - mean(i) * mean(j);
  const matrix = headMatrix(geometry, layer, head);
  const along = (v: Float64Array) => {
    const q = multiply(matrix, v);
    return Math.max(0, dot(q, multiply(covariance, q)));
  };
  const D = geometry.embedDim;
  const each = Float64Array.from(values, (_, k) => along(writes.subarray(k * D, (k + 1) * D)));
  // The trace of M̃ᵀ·C·M̃: what biases and means add in other directions counts too.
  let total = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) total += covariance[i * m + j] * dot(matrix, matrix, i * D, j * D, D);
  return each.map((variance) => (total > 0 ? Math.min(1, variance / total) : 0));
}

function spannedHead(
  { layer, head, singularValues, directions }: Chosen,
  described: readonly Ends[],
): SpannedHead {
  const spanned = directions.map((direction, i): SpannedDirection => {
    const { turned, ends } = described[i];
    return { ...direction, write: turned ? direction.write.map((x) => -x) : direction.write, ends };
  });
  return { layer, head, singularValues, directions: spanned, texts: headTexts(spanned) };
}

/** What the directions say together. */
function headTexts(directions: readonly SpannedDirection[]): SpannedHead["texts"] {
  const weights = new Map<number, number>();
  for (const { share, varianceShare, ends } of directions) {
    for (const { selected, coefficients, cosine } of ends) {
      const squares = dot(coefficients, coefficients);
      for (const [i, index] of selected.entries()) {
        const part = ((varianceShare ?? share) * cosine ** 2 * coefficients[i] ** 2) / squares;
        weights.set(index, (weights.get(index) ?? 0) + part);
      }
    }
  }
  return [...weights]
    .map(([index, weight]) => ({ index, weight }))
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
    .slice(0, HEAD_TEXTS);
}

/** Cosines of the better ends of directions that mean nothing. */
async function chanceCosines(
  algebra: Algebra,
  texts: DenseMatrix,
  draws: number,
  seed: number,
  options: PursuitOptions,
) {
  const random = new Random(seed);
  const directions = Array.from({ length: draws }, () => {
    const v = Float64Array.from({ length: texts.columns }, () => random.normal());
    const length = norm(v);
    return v.map((x) => x / length);
  });
  const described = await describeEnds(algebra, texts, directions, options);
  return percentileInterval(described.map(({ ends }) => ends[0].cosine));
}

/** A head's directions with the texts of a pool. */
function inWords(
  { layer, head, singularValues, directions, texts }: SpannedHead,
  pool: readonly PoolText[],
): WrittenHead {
  return {
    ...headOf(layer, head),
    singularValues: [...singularValues],
    rank: singularValues.filter((value) => value > RANK_TOLERANCE * singularValues[0]).length,
    directions: directions.map(({ write: _, ends, ...direction }) => ({
      ...direction,
      ends: endsInWords(ends, pool),
    })),
    texts: texts.map(({ index, weight }) => ({ index, ...pool[index], weight })),
  };
}
