import { dot } from "../math/linear.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { mlpCount } from "./components.ts";
import type { HeadGeometry, HeadWatch } from "./geometry.ts";

/**
 * What every component wrote into the embeddings of b images. Heads are kept as z (d_h numbers each) and three
 * scalars an image, from which {@link HeadGeometry} gives the contribution exactly; MLP terms are kept whole.
 */
export interface Decomposition {
  readonly count: number;
  /**
   * `[b, L, H, d_h]`: what each head outputs before `out_proj`, pooled as tokens are: Σ_i A[cls,i]·V_i where CLS is read. Where
   * the geometry says that z is whole, [b, L, H, D]: what the head wrote into e.
   */
  readonly z: Float32Array;
  /** `[b]`: mean of the pooled residual, before `ln_post`; 0 with attention pooling. */
  readonly mu: Float64Array;
  /** `[b]`: what `ln_post` divides it by, √(variance + ε) (docs/models.md has the other poolings); 1 with attention pooling. */
  readonly sigma: Float64Array;
  /** `[b]`: ‖e‖. */
  readonly norm: Float64Array;
  /** `[b, D]`: e, not normalised. */
  readonly embedding: Float32Array;
  /** `[b, L+1, D]`: contribution of `embed` and of each layer's MLP, divided by ‖e‖ as heads are; of `pool.MLP` too if there is one. */
  readonly mlps: Float32Array;
  /**
   * `[b]`: the self-check, max |Σ heads + Σ mlps − e/‖e‖| over max |e/‖e‖|; of a CLIP's texts, whose heads' sum is the graph's, at least how
   * far what z gives is from that sum along a direction.
   */
  readonly error: Float64Array;
}

/** A sum that is off by more than this (relative to the largest entry) is a fault, not rounding. */
export const SUM_TOLERANCE = 1e-4;

/** Mean and √(variance + ε) of each row of [rows, width], in float64. */
export function rowMoments(
  x: Float32Array,
  width: number,
  epsilon: number,
): { mu: Float64Array; sigma: Float64Array } {
  const rows = x.length / width;
  const mu = new Float64Array(rows);
  const sigma = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = x.subarray(row * width, (row + 1) * width);
    let sum = 0;
    for (const value of values) sum += value;
    const mean = sum / width;
    let squares = 0;
    for (const value of values) squares += (value - mean) ** 2;
    mu[row] = mean;
    sigma[row] = Math.sqrt(squares / width + epsilon);
  }
  return { mu, sigma };
}

/** ‖row‖₂ of each row of [rows, width]. */
export function rowNorms(x: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: x.length / width }, (_, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += x[i] ** 2;
    return Math.sqrt(squares);
  });
}

/**
 * mlp(j) = { γ⊙(mlp_j − μ/n·1)/σ + β/n }·P / ‖e‖, from terms that are already multiplied by γ⊙P.
 * @param terms [b, L+1, D]
 */
export function mlpContributions(
  terms: Float32Array,
  geometry: HeadGeometry,
  { mu, sigma, norm }: Pick<Decomposition, "mu" | "sigma" | "norm">,
): Float32Array {
  const { s, b, terms: n, embedDim } = geometry;
  const others = mlpCount(geometry);
  const result = new Float32Array(terms.length);
  for (let at = 0, image = 0; at < terms.length; image++) {
    for (let index = 0; index < others; index++) {
      for (let d = 0; d < embedDim; d++, at++) {
        result[at] = ((terms[at] - (mu[image] / n) * s[d]) / sigma[image] + b[d] / n) / norm[image];
      }
    }
  }
  return result;
}

/**
 * The self-check: how far the sum of all parts is from e/‖e‖, for each image.
 *
 * @param headSums [b, D]: Σ_lh z_lh·M_lh, before the division by σ‖e‖
 * @param each what one of the batch is, in the words of the error
 * @param watch where the sums are not made of z: z must have what they have along a direction
 * @throws `SUM_MISMATCH` when an error exceeds {@link SUM_TOLERANCE} or is not a number
 */
export function checkSums(
  headSums: Float32Array | Float64Array,
  geometry: HeadGeometry,
  parts: Omit<Decomposition, "error">,
  { each = "image", watch }: { readonly each?: string | undefined; readonly watch?: HeadWatch } = {},
): Float64Array {
  const { layers, embedDim, terms: n, k, s, b } = geometry;
  const { count, z, mu, sigma, norm, embedding, mlps } = parts;
  const others = mlpCount(geometry);
  const biases = new Float64Array(embedDim);
  for (let i = 0; i < k.length; i++) biases[i % embedDim] += k[i];
  const error = new Float64Array(count);
  for (let image = 0; image < count; image++) {
    let largest = 0;
    let worst = 0;
    for (let d = 0; d < embedDim; d++) {
      const shares = headSums[image * embedDim + d] + biases[d] - (layers * mu[image] * s[d]) / n;
      let sum = (shares / sigma[image] + (layers * b[d]) / n) / norm[image];
      for (let index = 0; index < others; index++) sum += mlps[(image * others + index) * embedDim + d];
      const whole = embedding[image * embedDim + d] / norm[image];
      largest = Math.max(largest, Math.abs(whole));
      // Written so that a NaN stays one: Math.max keeps it.
      worst = Math.max(worst, Math.abs(sum - whole));
    }
    error[image] = worst / largest;
    if (watch) {
      const { signs, heads } = watch;
      const along = dot(z, heads, image * heads.length) - dot(headSums, signs, image * embedDim);
      error[image] = Math.max(error[image], Math.abs(along) / (sigma[image] * norm[image]));
    }
    if (!(error[image] <= SUM_TOLERANCE)) {
      throw new ClipInterpretError(
        "SUM_MISMATCH",
        `the parts of ${each} ${image} in the batch miss its embedding by ${error[image].toExponential(1)} (relative)`,
      );
    }
  }
  return error;
}

/** The error for numbers that are none, where no sum is there to show it. */
export const notNumbers = (what: string): ClipInterpretError =>
  new ClipInterpretError("SUM_MISMATCH", `${what} is not made of numbers`);

/**
 * One image out of a batch, as views of the same memory.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { decomposeImages, imageOf } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const files = ["0067-monkey", "0049-snowboarder"].map((name) => `examples/scenes/images/${name}.png`);
 * for await (const { decomposition } of decomposeImages(model, files)) {
 *   if (decomposition) console.log(imageOf(decomposition, 1).z.length, "of", decomposition.z.length); // → 512 of 1024
 * }
 * ```
 */
export function imageOf(batch: Decomposition, image: number): Decomposition {
  const slice = <T extends Float32Array | Float64Array>(data: T): T => {
    const size = data.length / batch.count;
    return data.subarray(image * size, (image + 1) * size) as T;
  };
  return {
    count: 1,
    z: slice(batch.z),
    mu: slice(batch.mu),
    sigma: slice(batch.sigma),
    norm: slice(batch.norm),
    embedding: slice(batch.embedding),
    mlps: slice(batch.mlps),
    error: slice(batch.error),
  };
}
