import type { LanguageConfig, TextConfig, TowerConfig } from "../checkpoint/model-config.ts";
import type { Checkpoint } from "../checkpoint/read-checkpoint.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import type { LanguageWeights, TextWeights } from "../checkpoint/weight-roles.ts";
import { tensorsIn } from "../checkpoint/weights.ts";
import { dot } from "../math/linear.ts";
import { Random } from "../math/random.ts";
import { geometryGraph, type LastMaps, poolGeometryGraph } from "../onnx/geometry.ts";
import { languageGeometryGraph } from "../onnx/language-parts.ts";
import type { OpenSession, SessionOptions } from "../onnx/session.ts";
import { identity } from "../onnx/transformer.ts";

/** How heads write into the joint space: what of `head-space.ts` belongs to the weights. */
export interface HeadGeometry {
  readonly layers: number;
  readonly heads: number;
  /**
   * Numbers of a head's z: d_h; one more where what attention adds is normalised (post-norm), since z is [z/σ, 1/σ] then, and with
   * a language model's text tower up to two (`onnx/language-parts.ts`); D where z is the contribution itself.
   */
  readonly headDim: number;
  readonly embedDim: number;
  /** n = 2L + 1: the terms that share the layer norm's mean and bias. */
  readonly terms: number;
  /** Whether the pool has an MLP, whose output is one more component. */
  readonly poolMlp?: boolean;
  /**
   * Whether z, and tokens' values, are contributions to the embedding themselves, since what follows a head differs from input to
   * input: with attention pooling, and where a text tower ends with an activation. k, s and b are 0 then: z has its share of
   * constants in it.
   */
  readonly whole?: boolean;
  /** M_lh = W_O^h·diag(γ)·P: [L, H, d_h, D]; where z is whole the identity of all heads, [D, D]. */
  readonly M: Float32Array;
  /** (b_O⊙γ)·P: [L, D]. */
  readonly k: Float32Array;
  /** γ·P: [D]. */
  readonly s: Float32Array;
  /** β·P, and the projection's bias: [D]. */
  readonly b: Float32Array;
  /** What token maps need of a model that pools by attention, whose values are not whole. */
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
export function headRows({ M, heads, headDim, embedDim, whole }: HeadGeometry, layer: number, head: number) {
  if (whole) return M;
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
  return {
    ...wholeGeometry(layers, heads, embedDim),
    poolMlp: pool.mlpWidth !== undefined,
    pool: { heads: pool.heads, headDim, width, O: O.data, T: T.data },
  };
}

/** The geometry of heads whose z is what they wrote. */
function wholeGeometry(layers: number, heads: number, embedDim: number): HeadGeometry {
  const zeros = (size: number) => new Float32Array(size);
  return {
    ...{ layers, heads, embedDim, terms: 2 * layers + 1, whole: true, headDim: embedDim },
    M: identity(embedDim),
    ...{ k: zeros(layers * embedDim), s: zeros(embedDim), b: zeros(embedDim) },
  };
}

/** The text tower's geometry: the same maths, its last norm being `lnFinal`. */
export async function loadTextGeometry(
  open: OpenSession,
  text: TextConfig,
  embedDim: number,
  weights: TextWeights | LanguageWeights,
  options: SessionOptions = {},
): Promise<TextGeometry> {
  if ("projections" in weights)
    return loadLanguageGeometry(open, text, text.language!, embedDim, weights, options);
  const { lnFinal, ...others } = weights;
  const geometry = await geometryOf(open, text, embedDim, { ...others, lnPost: lnFinal }, options);
  return { geometry, watch: watchOf(geometry) };
}

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

/** How a text tower's heads write. */
export interface TextGeometry {
  readonly geometry: HeadGeometry;
  /** Of a CLIP's own text tower. */
  readonly watch?: HeadWatch;
  /** Of a text tower that ends with activations. */
  readonly end?: LanguageEnd;
}

/**
 * One direction r of the joint space, of ones and minus ones, and what heads write along it. Σ z·M, which reads every head's matrix,
 * takes as long as a tenth of a short text's encoding; Σ z·(M·r) takes nothing, and no other sum has the same value along an r that knows
 * nothing of it ("Probabilistic machines can use less running time", Freivalds 1977).
 */
export interface HeadWatch {
  /** r: `[D]`. */
  readonly signs: Float64Array;
  /** M·r: `[L, H, d_h]`. */
  readonly heads: Float64Array;
}

function watchOf({ M, embedDim }: HeadGeometry): HeadWatch {
  const random = new Random(0);
  const signs = Float64Array.from({ length: embedDim }, () => (random.below(2) === 0 ? -1 : 1));
  const heads = Float64Array.from({ length: M.length / embedDim }, (_, row) => dot(M, signs, row * embedDim));
  return { signs, heads };
}

/** What stands behind the linear part of a text tower. */
export interface LanguageEnd {
  /** Into what the first activation reads: E numbers in the place of D. */
  readonly before: HeadGeometry;
  /** What follows each activation, [E_i, E_i+1]; the last one into the joint space. */
  readonly maps: readonly {
    readonly data: Float32Array;
    readonly inputs: number;
    readonly outputs: number;
  }[];
}

/** The same of a language model's encoder. */
async function loadLanguageGeometry(
  open: OpenSession,
  text: TextConfig,
  language: LanguageConfig,
  embedDim: number,
  weights: LanguageWeights,
  options: SessionOptions = {},
): Promise<TextGeometry> {
  const { layers, heads } = text;
  const graph = languageGeometryGraph(text, language, weights);
  const { M, b, ...others } = await runOnce(open, graph, tensorsIn(weights), options);
  const [, rows, inner] = M.dims;
  const before: HeadGeometry = {
    ...{ layers, heads, headDim: rows / heads, embedDim: inner, terms: 2 * layers + 1 },
    ...{ M: M.data, k: new Float32Array(layers * inner), s: new Float32Array(inner), b: b.data },
  };
  const maps = Object.entries(others).map(([, { data, dims }]) => ({
    ...{ data, inputs: dims[0], outputs: dims[1] },
  }));
  if (maps.length === 0) return { geometry: before };
  return { geometry: wholeGeometry(layers, heads, embedDim), end: { before, maps } };
}

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
