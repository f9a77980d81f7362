import type { Checkpoint } from "../checkpoint/load.ts";
import { geometryGraph } from "../onnx/geometry.ts";
import { createSession, type SessionOptions } from "../onnx/session.ts";

/**
 * How heads write into the joint space. A head's contribution lives in at most d_h + 3 dimensions:
 *
 *     head(l,h) = z̃·M̃_lh,   z̃ = [z/(σ‖e‖), 1/(σ‖e‖), μ/(σ‖e‖), 1/‖e‖],   M̃ = [M; k/H; −s/(n·H); b/(n·H)]
 *
 * which is the contribution of "Interpreting CLIP's Image Representation via Text-Based Decomposition"
 * (§3, eq. 3–5, with the layer norm taken apart as in its appendix) written so that what belongs to the
 * weights and what belongs to the image stand apart.
 */
export interface HeadGeometry {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly embedDim: number;
  /** n = 2L + 1: the terms that share the layer norm's mean and bias. */
  readonly terms: number;
  /** M_lh = W_O^h·diag(γ)·P: [L, H, d_h, D]. */
  readonly M: Float32Array;
  /** (b_O⊙γ)·P: [L, D]. */
  readonly k: Float32Array;
  /** γ·P: [D]. */
  readonly s: Float32Array;
  /** β·P: [D]. */
  readonly b: Float32Array;
}

/** Computes the geometry from a checkpoint's weights, once. */
export async function loadGeometry(
  checkpoint: Checkpoint,
  options: SessionOptions = {},
): Promise<HeadGeometry> {
  const { config, weights } = checkpoint;
  const graph = geometryGraph(config, weights.vision);
  const session = await createSession(graph, weights.logitScale.file, { ...options, optimize: "none" });
  try {
    const { M, k, s, b } = await session.run({});
    const { layers, heads, headDim } = config.vision;
    return {
      ...{ layers, heads, headDim, embedDim: config.embedDim, terms: 2 * layers + 1 },
      ...{ M: M.data, k: k.data, s: s.data, b: b.data },
    };
  } finally {
    await session.release();
  }
}

/**
 * M̃_lh as a dense matrix, [d_h + 3, D] in float64.
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
  const { M, k, s, b, headDim, heads, embedDim, terms } = geometry;
  const matrix = new Float64Array((headDim + 3) * embedDim);
  const start = (layer * heads + head) * headDim * embedDim;
  matrix.set(M.subarray(start, start + headDim * embedDim));
  for (let d = 0; d < embedDim; d++) {
    matrix[headDim * embedDim + d] = k[layer * embedDim + d] / heads;
    matrix[(headDim + 1) * embedDim + d] = -s[d] / (terms * heads);
    matrix[(headDim + 2) * embedDim + d] = b[d] / (terms * heads);
  }
  return matrix;
}

/** M̃M̃ᵀ of a head, [d_h + 3, d_h + 3]: the inner product of two contributions is that of their z̃ in this metric. */
export function headMetric(geometry: HeadGeometry, layer: number, head: number): Float64Array {
  const matrix = headMatrix(geometry, layer, head);
  const [m, width] = [geometry.headDim + 3, geometry.embedDim];
  const product = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = i; j < m; j++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += matrix[i * width + d] * matrix[j * width + d];
      product[i * m + j] = sum;
      product[j * m + i] = sum;
    }
  }
  return product;
}
