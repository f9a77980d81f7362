import type { TextConfig, TowerConfig } from "../checkpoint/model-config.ts";
import type { Checkpoint } from "../checkpoint/read-checkpoint.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import type { TextWeights } from "../checkpoint/weight-roles.ts";
import { tensorsIn } from "../checkpoint/weights.ts";
import { geometryGraph, type LastMaps, poolGeometryGraph } from "../onnx/geometry.ts";
import type { OpenSession, SessionOptions } from "../onnx/session.ts";
import { identity } from "../onnx/transformer.ts";

/** How heads write into the joint space: what of `head-space.ts` belongs to the weights. */
export interface HeadGeometry {
  readonly layers: number;
  readonly heads: number;
  /**
   * Numbers of a head's z: d_h; one more where what attention adds is normalised (post-norm), since z is [z/σ, 1/σ] then; D where
   * the model pools by attention, since z is then the contribution itself.
   */
  readonly headDim: number;
  readonly embedDim: number;
  /** n = 2L + 1: the terms that share the layer norm's mean and bias. */
  readonly terms: number;
  /** Whether the pool has an MLP, whose output is one more component. */
  readonly poolMlp?: boolean;
  /** M_lh = W_O^h·diag(γ)·P: [L, H, d_h, D]; with a pool the identity of all heads, [D, D]. */
  readonly M: Float32Array;
  /** (b_O⊙γ)·P: [L, D]. */
  readonly k: Float32Array;
  /** γ·P: [D]. */
  readonly s: Float32Array;
  /** β·P, and the projection's bias: [D]. */
  readonly b: Float32Array;
  /** What token maps need of a model that pools by attention. k, s and b are 0 then: z has its share of them in it. */
  readonly pool?: PoolGeometry;
}

/** How a token of a layer's reaches the joint space through a head and each head of the pool: V·O_lh·T_p. */
export interface PoolGeometry {
  /** P. */
  readonly heads: number;
  /** d_h of the layers' heads. */
  readonly headDim: number;
  readonly width: number;
  /** W_Oᵀ: [L, H, d_h, W]. */
  readonly O: Float32Array;
  /** T_p = diag(γ)·W_V^p·W_O^p·P: [P, W, D]. */
  readonly T: Float32Array;
}

/** M_lh of one head, [d_h, D], as a view. */
export function headRows({ M, heads, headDim, embedDim, pool }: HeadGeometry, layer: number, head: number) {
  if (pool) return M;
  const size = headDim * embedDim;
  const start = (layer * heads + head) * size;
  return M.subarray(start, start + size);
}

/** Computes the image tower's geometry from a checkpoint's weights, once. */
export async function loadGeometry(
  open: OpenSession,
  { config, weights }: Pick<Checkpoint, "config" | "weights">,
  options: SessionOptions = {},
): Promise<HeadGeometry> {
  const { embedDim, vision } = config;
  const { layers, heads, headDim, width, pool } = vision;
  if (!pool) return geometryOf(open, vision, embedDim, weights.vision, options);
  const graph = poolGeometryGraph(config, weights.vision);
  const { O, T } = await runOnce(open, graph, tensorsIn(weights.vision), options);
  const zeros = (size: number) => new Float32Array(size);
  return {
    ...{ layers, heads, embedDim, terms: 2 * layers + 1 },
    ...{ headDim: embedDim, poolMlp: pool.mlpWidth !== undefined, M: identity(embedDim) },
    ...{ k: zeros(layers * embedDim), s: zeros(embedDim), b: zeros(embedDim) },
    pool: { heads: pool.heads, headDim, width, O: O.data, T: T.data },
  };
}

/** The text tower's geometry: the same maths, its last norm being `lnFinal`. */
export const loadTextGeometry = (
  open: OpenSession,
  text: TextConfig,
  embedDim: number,
  { lnFinal, ...weights }: TextWeights,
  options: SessionOptions = {},
): Promise<HeadGeometry> => geometryOf(open, text, embedDim, { ...weights, lnPost: lnFinal }, options);

async function geometryOf(
  open: OpenSession,
  tower: TowerConfig,
  embedDim: number,
  weights: LastMaps,
  options: SessionOptions,
): Promise<HeadGeometry> {
  const { layers, heads } = tower;
  const { M, k, s, b } = await runOnce(
    open,
    geometryGraph(tower, embedDim, weights),
    lastMaps(weights),
    options,
  );
  const headDim = M.dims[1] / heads;
  const shape = { layers, heads, headDim, embedDim, terms: 2 * layers + 1 };
  return { ...shape, M: M.data, k: k.data, s: s.data, b: b.data };
}

/** What of a tower the geometry reads: of its blocks, what attention writes with. */
const lastMaps = ({ blocks, lnPost, projection }: LastMaps): TensorRef[] =>
  tensorsIn([
    blocks.map(({ out, attentionScale, postNorm, ln1 }) => [out, attentionScale, postNorm && ln1]),
    lnPost,
    projection,
  ]);

/** Runs a graph that has no input. */
async function runOnce(
  open: OpenSession,
  graph: Uint8Array,
  weights: readonly TensorRef[],
  options: SessionOptions,
) {
  const session = await open(graph, weights, { ...options, optimize: "none" });
  try {
    return await session.run({});
  } finally {
    await session.release();
  }
}
