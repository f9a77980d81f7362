import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { Block, ClipWeights } from "../checkpoint/weights.ts";
import { createGraph, type Graph, type Value } from "./graph.ts";
import { type EmitLinear, exactLinear, linearIn, type Precision } from "./linear.ts";
import { asRows, byToken, layerNorm, mlp, project, scaledProjection } from "./transformer.ts";

/** What a vision graph is asked for beyond the embedding. */
export interface VisionOptions {
  /**
   * `decompose` adds the terms of the decomposition. `plain` is the ordinary encoder, every token computed in
   * every layer; `trimmed` leaves out what the embedding does not need. Both are there to measure against.
   * `tokens` computes every token to the end and adds what other methods of segmentation read of them.
   */
  readonly kind: "decompose" | "plain" | "trimmed" | "tokens";
  /** Layers whose attention from CLS and values per token are wanted (with `decompose`). */
  readonly tokenLayers: readonly number[];
  /** Adds the inputs `gate` [L, H] and `offset` [L, N, width]: z becomes z·gate + offset in every head, at every token. */
  readonly gated: boolean;
  /** What query, key, value and MLP products are computed in. */
  readonly precision: Precision;
  /** Attention as ONNX Runtime's own operator, or as products and a softmax, which mean the same on every device. */
  readonly attention: "fused" | "products";
}

/**
 * Writes the image tower. Input `pixels` [b, 3, s, s]; outputs, for batch b, L layers, width W = H·d_h,
 * N tokens, embedding D:
 *
 * - `embedding` [b, D], raw
 * - `z` [b, L, W]: per layer, what the attention heads output at CLS before `out_proj`, heads side by side
 * - `residual` [b, W]: the CLS row that `ln_post` normalises (μ and σ are its mean and deviation)
 * - `terms` [b, L+1, D]: ln_pre(CLS), then each layer's MLP output at CLS, times γ⊙P
 * - `attention.<l>` [b, H, N]: softmax weights from CLS; `values.<l>` [b, N, W], for each of `tokenLayers`
 *
 * With `tokens`, beside `embedding`:
 *
 * - `attentions` [b, L, N, N]: each layer's softmax weights, the mean over heads; a row is a query
 * - `projected` [b, N, D]: every token through `ln_post` and the projection, as the CLS token is for the embedding
 * - `projectedValues` [b, N, D]: the same where each token of the last layer attends to itself alone
 *
 * The last layer is computed for the CLS query alone, which changes no number ("Interpreting CLIP's Image
 * Representation via Text-Based Decomposition", §3: only the CLS row reaches the embedding).
 *
 * In int8, `out_proj` and the projection stay in float32: the head geometry is made of them, so the parts of
 * what the quantised network computed still sum to its embedding as exactly as in float32.
 */
export function visionGraph(
  config: ModelConfig,
  weights: ClipWeights["vision"],
  options: VisionOptions,
): Uint8Array {
  const { width, layers, heads, headDim, tokens, imageSize, epsilon } = config.vision;
  const g = createGraph("vision");
  const linear = linearIn(options.precision);
  const cls = (x: Value) => g.op("Gather", [byToken(g, x, tokens, width), g.ints([0])], { axis: 1 });
  const gate = options.gated ? g.input("gate", "float32", [layers, heads]) : undefined;
  const offset = options.gated ? g.input("offset", "float32", [layers, tokens, width]) : undefined;
  const zs: Value[] = [];
  const terms: Value[] = [];
  const attentions: Value[] = [];

  const pixels = g.input("pixels", "float32", ["batch", 3, imageSize, imageSize]);
  let x = asRows(g, layerNorm(g, embedPatches(g, pixels, config, weights), weights.lnPre, epsilon), width);
  terms.push(cls(x));
  for (const [layer, block] of weights.blocks.entries()) {
    const last = layer === layers - 1;
    const clsOnly = last && options.kind !== "plain" && options.kind !== "tokens";
    const normed = layerNorm(g, x, block.ln1, epsilon);
    const query = linear(g, clsOnly ? asRows(g, cls(normed), width) : normed, block.query);
    const key = byToken(g, linear(g, normed, block.key), tokens, width);
    const value = byToken(g, linear(g, normed, block.value), tokens, width);
    const queries = byToken(g, query, clsOnly ? 1 : tokens, width);
    let z =
      options.attention === "fused"
        ? g.op("MultiHeadAttention", [queries, key, value], { num_heads: heads })
        : attend(g, queries, key, value, config, clsOnly);
    if (gate && offset) z = applyGate(g, z, gate, offset, layer, config, clsOnly);
    if (options.kind === "tokens") {
      attentions.push(meanAttention(g, queries, key, config));
      if (last) g.output("projectedValues", projectValues(g, x, value, block, config, weights, linear));
    }
    zs.push(clsOnly ? z : g.op("Gather", [z, g.ints([0])], { axis: 1 }));
    x = g.op("Add", [clsOnly ? asRows(g, cls(x), width) : x, exactLinear(g, asRows(g, z, width), block.out)]);
    const change = mlp(g, x, block, config.vision, linear);
    terms.push(clsOnly ? byToken(g, change, 1, width) : cls(change));
    x = g.op("Add", [x, change]);
    if (options.tokenLayers.includes(layer)) {
      g.output(`attention.${layer}`, attentionFromCls(g, queries, key, heads, headDim));
      g.output(`values.${layer}`, value);
    }
  }
  const allTokens = options.kind === "plain" || options.kind === "tokens";
  const residual = allTokens ? asRows(g, cls(x), width) : x;
  g.output("embedding", project(g, layerNorm(g, residual, weights.lnPost, epsilon), weights.projection));
  if (options.kind === "decompose") {
    const stacked = asRows(g, g.op("Concat", terms, { axis: 1 }), width);
    const projected = g.op("MatMul", [stacked, scaledProjection(g, weights.lnPost, weights.projection)]);
    g.output("terms", byToken(g, projected, layers + 1, config.embedDim));
    g.output("z", g.op("Concat", zs, { axis: 1 }));
    g.output("residual", residual);
  }
  if (options.kind === "tokens") {
    g.output("attentions", g.op("Concat", attentions, { axis: 1 }));
    g.output("projected", projectTokens(g, x, config, weights));
  }
  return g.finish();
}

/** Every row of [b·N, W] through `ln_post` and the projection: [b, N, D]. */
function projectTokens(
  g: Graph,
  x: Value,
  { vision: { tokens, epsilon }, embedDim }: ModelConfig,
  { lnPost, projection }: ClipWeights["vision"],
): Value {
  return byToken(g, project(g, layerNorm(g, x, lnPost, epsilon), projection), tokens, embedDim);
}

/**
 * The last layer with its attention replaced by the identity, so that each token reads its own value: MaskCLIP's
 * features (Zhou, Loy & Dai 2022, "Extract Free Dense Labels from CLIP", §3.2; their code keeps residual and MLP).
 */
function projectValues(
  g: Graph,
  x: Value,
  value: Value,
  block: Block,
  config: ModelConfig,
  weights: ClipWeights["vision"],
  linear: EmitLinear,
): Value {
  const own = g.op("Add", [x, exactLinear(g, asRows(g, value, config.vision.width), block.out)]);
  return projectTokens(g, g.op("Add", [own, mlp(g, own, block, config.vision, linear)]), config, weights);
}

/** One layer's softmax weights, averaged over heads: [b, 1, N, N]. */
function meanAttention(g: Graph, queries: Value, key: Value, { vision }: ModelConfig): Value {
  const weights = attentionWeights(g, queries, key, vision.heads, vision.headDim);
  const sum = g.op("ReduceSum", [weights, g.ints([1])], { keepdims: 1 });
  return g.op("Mul", [sum, g.scalar(1 / vision.heads)]);
}

/** Patches and the CLS token with their positions: [b, N, W]. */
function embedPatches(
  g: Graph,
  pixels: Value,
  { vision }: ModelConfig,
  weights: ClipWeights["vision"],
): Value {
  const { patchSize, grid, width } = vision;
  const conv = g.op("Conv", [pixels, g.weight(weights.patchEmbedding)], {
    kernel_shape: [patchSize, patchSize],
    strides: [patchSize, patchSize],
  });
  const patches = g.op("Transpose", [g.op("Reshape", [conv, g.ints([0, width, grid * grid])])], {
    perm: [0, 2, 1],
  });
  const batch = g.op("Slice", [g.op("Shape", [pixels]), g.ints([0]), g.ints([1])]);
  const clsShape = g.op("Concat", [batch, g.ints([1, width])], { axis: 0 });
  const cls = g.op("Expand", [g.weight(weights.classEmbedding), clsShape]);
  return g.op("Add", [g.op("Concat", [cls, patches], { axis: 1 }), g.weight(weights.positionalEmbedding)]);
}

/** z·gate + offset, per head: full-forward ablation, to zero or to a mean. */
function applyGate(
  g: Graph,
  z: Value,
  gate: Value,
  offset: Value,
  layer: number,
  { vision: { heads, headDim, tokens, width } }: ModelConfig,
  clsOnly: boolean,
): Value {
  const rows = clsOnly ? 1 : tokens;
  const perHead = g.op("Reshape", [z, g.ints([-1, rows, heads, headDim])]);
  const layerGate = g.op("Reshape", [g.op("Gather", [gate, g.ints([layer])]), g.ints([1, 1, heads, 1])]);
  const gated = byToken(g, g.op("Mul", [perHead, layerGate]), rows, width);
  const layerOffset = g.op("Gather", [offset, g.ints([layer])]);
  const used = clsOnly ? g.op("Gather", [layerOffset, g.ints([0])], { axis: 1 }) : layerOffset;
  return g.op("Add", [gated, used]);
}

/** softmax(q·kᵀ/√d_h)·v of [b, rows, W]. */
function attend(
  g: Graph,
  queries: Value,
  key: Value,
  value: Value,
  { vision: { heads, headDim, tokens, width } }: ModelConfig,
  clsOnly: boolean,
): Value {
  const weights = attentionWeights(g, queries, key, heads, headDim);
  const perHead = g.op("MatMul", [weights, splitHeads(g, value, heads, headDim, [0, 2, 1, 3])]);
  return byToken(g, g.op("Transpose", [perHead], { perm: [0, 2, 1, 3] }), clsOnly ? 1 : tokens, width);
}

/** The weights of the CLS row, [b, H, N]; queries hold the CLS token first or alone. */
function attentionFromCls(g: Graph, queries: Value, key: Value, heads: number, headDim: number): Value {
  const first = g.op("Gather", [queries, g.ints([0])], { axis: 1 });
  return g.op("Reshape", [attentionWeights(g, first, key, heads, headDim), g.ints([0, heads, -1])]);
}

/** softmax(q·kᵀ/√d_h) of [b, H, rows, N]. */
function attentionWeights(g: Graph, queries: Value, key: Value, heads: number, headDim: number): Value {
  const q = splitHeads(g, queries, heads, headDim, [0, 2, 1, 3]);
  const k = splitHeads(g, key, heads, headDim, [0, 2, 3, 1]);
  const logits = g.op("Mul", [g.op("MatMul", [q, k]), g.scalar(1 / Math.sqrt(headDim))]);
  return g.op("Softmax", [logits], { axis: -1 });
}

/** [b, rows, W] as [b, rows, H, d_h] with its axes in another order. */
const splitHeads = (g: Graph, x: Value, heads: number, headDim: number, perm: readonly number[]): Value =>
  g.op("Transpose", [g.op("Reshape", [x, g.ints([0, -1, heads, headDim])])], { perm });
