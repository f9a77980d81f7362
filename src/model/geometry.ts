import type { Checkpoint } from "../checkpoint/load.ts";
import { geometryGraph } from "../onnx/geometry.ts";
import { createSession, type SessionOptions } from "../onnx/session.ts";

/** How heads write into the joint space: what of `head-space.ts` belongs to the weights. */
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
