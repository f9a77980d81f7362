import { dot, gram, multiply, multiplyLeft } from "../math/linear.ts";
import type { MatMul } from "../onnx/matmul.ts";
import type { WeightedHead } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import { type HeadGeometry, headRows, type PoolGeometry } from "./geometry.ts";

/*
 * The space of a head. Its contribution to the embedding lives in at most d_h + 3 dimensions:
 *
 *     head(l,h) = z̃·M̃_lh,   z̃ = [z/(σ‖e‖), 1/(σ‖e‖), μ/(σ‖e‖), 1/‖e‖],   M̃ = [M; k/H; −s/(n·H); b/(n·H)]
 *
 * which is the contribution of "Interpreting CLIP's Image Representation via Text-Based Decomposition"
 * (§3, eq. 3–5, with the layer norm taken apart as in its appendix) written so that what belongs to the
 * weights, M̃, and what belongs to the image, z̃, are separate. A probe v is seen by it as q = M̃v.
 */

/** Numbers of a z̃: rows of M̃. */
export const coordinateCount = ({ headDim }: { readonly headDim: number }): number => headDim + 3;

/**
 * M̃_lh as a dense matrix, [d_h + 3, D] in float64.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { headMatrix } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * console.log(headMatrix(model.geometry, 3, 1).length === (32 + 3) * 128); // → true
 * ```
 */
export function headMatrix(geometry: HeadGeometry, layer: number, head: number): Float64Array {
  const { k, s, b, headDim, heads, embedDim, terms } = geometry;
  const matrix = new Float64Array(coordinateCount(geometry) * embedDim);
  matrix.set(headRows(geometry, layer, head));
  for (let d = 0; d < embedDim; d++) {
    matrix[headDim * embedDim + d] = k[layer * embedDim + d] / heads;
    matrix[(headDim + 1) * embedDim + d] = -s[d] / (terms * heads);
    matrix[(headDim + 2) * embedDim + d] = b[d] / (terms * heads);
  }
  return matrix;
}

/**
 * M̃M̃ᵀ of a head, [d_h + 3, d_h + 3]: the inner product of two contributions is that of their z̃ in this metric. Undefined where
 * z is whole: M̃ is the identity there, and three rows of nothing.
 */
export const headMetric = (geometry: HeadGeometry, layer: number, head: number): Float64Array | undefined =>
  geometry.whole ? undefined : gram(headMatrix(geometry, layer, head), coordinateCount(geometry));

/** (k/H − μ·s/(n·H))/σ + b/(n·H), [D]: what a head writes whatever it attends to, before ‖e‖. */
export function constantPart(
  { k, s, b, heads, embedDim, terms }: HeadGeometry,
  mu: number,
  sigma: number,
  layer: number,
): Float64Array {
  return Float64Array.from({ length: embedDim }, (_, d) => {
    const shifted = k[layer * embedDim + d] - (mu * s[d]) / terms;
    return (shifted / sigma + b[d] / terms) / heads;
  });
}

/** What of an image every z̃ of it shares. */
export interface ImageScalars {
  readonly mu: number;
  readonly sigma: number;
  readonly norm: number;
}

/** Writes z̃ of a head whose z starts at `from`; `into` is [d_h + 3]. */
export function setCoordinates(
  into: Float64Array,
  z: Float32Array,
  from: number,
  { mu, sigma, norm }: ImageScalars,
): void {
  const headDim = into.length - 3;
  const scale = sigma * norm;
  for (let i = 0; i < headDim; i++) into[i] = z[from + i] / scale;
  into[headDim] = 1 / scale;
  into[headDim + 1] = mu / scale;
  into[headDim + 2] = 1 / norm;
}

/**
 * z̃_lh of one image, [d_h + 3].
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 * import { headCoordinates } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * console.log(headCoordinates(model.geometry, scene, 3, 1).length === 32 + 3); // → true
 * ```
 */
export function headCoordinates(
  geometry: HeadGeometry,
  { z, mu, sigma, norm }: Decomposition,
  layer: number,
  head: number,
  image = 0,
): Float64Array {
  const { layers, heads, headDim } = geometry;
  const coordinates = new Float64Array(coordinateCount(geometry));
  const from = ((image * layers + layer) * heads + head) * headDim;
  setCoordinates(coordinates, z, from, { mu: mu[image], sigma: sigma[image], norm: norm[image] });
  return coordinates;
}

/** 1/(σ‖e‖), μ/(σ‖e‖) and 1/‖e‖ of every image, [n, 3], out of [μ, σ, ‖e‖]. */
export function imageScales(scalars: Float32Array): Float64Array {
  const scales = new Float64Array(scalars.length);
  for (let i = 0; i < scalars.length; i += 3) {
    const [mu, sigma, norm] = [scalars[i], scalars[i + 1], scalars[i + 2]];
    scales[i] = 1 / (sigma * norm);
    scales[i + 1] = mu / (sigma * norm);
    scales[i + 2] = 1 / norm;
  }
  return scales;
}

/** Writes z̃ of one image of many to `into` at `to`, its z being row `image` of [n, d_h], by {@link imageScales}. */
export function setScaled(
  into: Float32Array | Float64Array,
  to: number,
  z: Float32Array,
  headDim: number,
  scales: Float64Array,
  image: number,
): void {
  const [from, s] = [image * headDim, image * 3];
  const scale = scales[s];
  for (let i = 0; i < headDim; i++) into[to + i] = z[from + i] * scale;
  into[to + headDim] = scale;
  into[to + headDim + 1] = scales[s + 1];
  into[to + headDim + 2] = scales[s + 2];
}

/**
 * head(l,h) = z̃·M̃ of one image, dense: [D].
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 * import { headContribution } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const written = headContribution(model.geometry, scene, 1, 0);
 * console.log(written.length, Math.hypot(...written).toFixed(4)); // → 128 0.1562
 * ```
 */
export const headContribution = (
  geometry: HeadGeometry,
  decomposition: Decomposition,
  layer: number,
  head: number,
  image = 0,
): Float64Array =>
  multiplyLeft(
    headCoordinates(geometry, decomposition, layer, head, image),
    headMatrix(geometry, layer, head),
  );

/** A probe seen by every head and MLP term of a model: q = M̃v of every head, what heads share being kept once. */
export interface PreparedProbe {
  /** v: [D]. */
  readonly v: Float64Array;
  /** `[L, H, d_h]`: q0 = M_lh·v; where z is whole v, of all heads. */
  readonly q0: Float64Array;
  /** `[L]`: q1 = k_l·v/H; the same for every head of a layer. */
  readonly q1: Float64Array;
  /** −s·v/(n·H). */
  readonly q2: number;
  /** b·v/(n·H). */
  readonly q3: number;
  /** [P, W], of a model that pools by attention: T_p·v. */
  readonly pool?: Float64Array;
}

/**
 * Computes q = M̃v for every head: L·W·D multiplications, independent of the number of images.
 *
 * @example
 * ```ts
 * import { openModel, textProbe } from "clip-interpret";
 * import { prepareProbe } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const probe = prepareProbe(model.geometry, await textProbe(model, "a monkey"));
 * console.log(probe.q0.length); // → 512
 * ```
 */
export function prepareProbe(geometry: HeadGeometry, v: Float64Array): PreparedProbe {
  return {
    ...{ ...constantsOf(geometry, v), q0: multiply(geometry.M, v) },
    ...(geometry.pool && { pool: multiply(geometry.pool.T, v) }),
  };
}

/**
 * {@link prepareProbe} of several probes in one product, in float32: of a large model the same in a fraction of the time.
 * Of a model whose z is whole one after another.
 */
export async function prepareProbes(
  matmul: MatMul,
  geometry: HeadGeometry,
  vectors: readonly Float64Array[],
): Promise<PreparedProbe[]> {
  const { M, embedDim, whole } = geometry;
  if (whole) return vectors.map((v) => prepareProbe(geometry, v));
  const count = vectors.length;
  const columns = new Float32Array(embedDim * count);
  for (const [i, v] of vectors.entries()) for (let d = 0; d < embedDim; d++) columns[d * count + i] = v[d];
  const rows = M.length / embedDim;
  const products = await matmul(
    { data: M, dims: [1, rows, embedDim] },
    { data: columns, dims: [1, embedDim, count] },
  );
  return vectors.map((v, i) => ({
    ...constantsOf(geometry, v),
    q0: Float64Array.from({ length: rows }, (_, row) => products[row * count + i]),
  }));
}

/** What every head of a layer, or of all, sees of a probe. */
const constantsOf = ({ k, s, b, heads, terms }: HeadGeometry, v: Float64Array) => ({
  v,
  q1: multiply(k, v).map((sum) => sum / heads),
  q2: -dot(s, v) / (terms * heads),
  q3: dot(b, v) / (terms * heads),
});

/** q0 of one head, [d_h], as a view. */
export const headQ0 = (
  { heads, headDim, whole }: HeadGeometry,
  { q0 }: PreparedProbe,
  layer: number,
  head: number,
): Float64Array =>
  whole ? q0 : q0.subarray((layer * heads + head) * headDim, (layer * heads + head + 1) * headDim);

/** O_lh·T_p·v of one head, [P, d_h]: what its tokens' values are multiplied with, for each head of the pool. */
export function poolProbe(
  { heads }: HeadGeometry,
  { heads: pools, headDim, width, O }: PoolGeometry,
  { pool = new Float64Array() }: Pick<PreparedProbe, "pool">,
  layer: number,
  head: number,
): Float64Array {
  const from = (layer * heads + head) * headDim * width;
  const rows = O.subarray(from, from + headDim * width);
  const result = new Float64Array(pools * headDim);
  for (let p = 0; p < pools; p++)
    result.set(multiply(rows, pool.subarray(p * width, (p + 1) * width)), p * headDim);
  return result;
}

/**
 * What one head's tokens' values are multiplied with for a probe v [D]: q0, [d_h], or with attention pooling q_p of each
 * head of the pool, [P, d_h].
 */
export function tokenProbe(
  geometry: HeadGeometry,
  v: Float64Array,
  { layer, head }: Omit<WeightedHead, "weight">,
): Float64Array {
  const { pool } = geometry;
  if (!pool) return multiply(headRows(geometry, layer, head), v);
  return poolProbe(geometry, pool, { pool: multiply(pool.T, v) }, layer, head);
}

/** w·[q0; q1; q2; q3] of one head: what its z̃ is multiplied with. */
export function headProbe(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  { layer, head, weight }: WeightedHead,
): Float64Array {
  const q = new Float64Array(coordinateCount(geometry));
  q.set(headQ0(geometry, probe, layer, head));
  q.set([probe.q1[layer], probe.q2, probe.q3], geometry.headDim);
  return q.map((value) => weight * value);
}
