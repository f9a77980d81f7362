import type { ModelConfig, VisionConfig } from "../checkpoint/model-config.ts";
import type { Block, Norm, VisionWeights } from "../checkpoint/weight-roles.ts";
import { attend, attentionWeights, meanAttention, relativeBias, rotation } from "./attention.ts";
import { createGraph, type Graph, NONE, type Value } from "./graph.ts";
import { type EmitLinear, exactLinear, linearIn, type Precision } from "./linear.ts";
import {
  attentionReadout,
  headTerms,
  meanThenNorm,
  normThenMean,
  poolEmbedding,
  poolMap,
  type Readout,
  take,
  takeAttention,
} from "./readout.ts";
import { addRegister, moveNeurons } from "./registers.ts";
import { embedPatches } from "./stem.ts";
import { type LayerView, projectTokens, type TokenFeature } from "./token-features.ts";
import {
  asRows,
  attentionChange,
  byToken,
  layerNorm,
  mlp,
  moments,
  type Operators,
  outputParts,
  project,
  type TowerValues,
} from "./transformer.ts";

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
  /** Layers whose heads' outputs at every token are wanted (with `decompose`). */
  readonly outputLayers?: readonly number[];
  /** What else methods of segmentation read of the tokens (with `tokens`). */
  readonly features?: readonly TokenFeature[];
  /**
   * Adds the inputs `gate` [L, H], `offset` [L, N, width], `reads` [L, width, R] and `writes` [L, R, width]: z becomes
   * z·gate + (z·reads)·writes + offset in every head, at every token.
   */
  readonly gated: boolean;
  /** What query, key, value and MLP products are computed in. */
  readonly precision: Precision;
  /** Attention as ONNX Runtime's own operator, or as products and a softmax, which mean the same on every device. */
  readonly attention: "fused" | "products";
  /** What activations are made of; `runtime` by default. */
  readonly operators?: Operators;
}

/**
 * Writes the image tower. Input `pixels` [b, 3, s, s]; outputs, for batch b, L layers, width W = H·d_h,
 * N tokens, embedding D, and tokens pooled with weights w_i (1 at CLS, where that is the pooling):
 *
 * - `embedding` [b, D], raw
 * - `z` [b, L, W]: per layer, Σ_i w_i·z_i of what its heads output at each token before `out_proj`, heads side by side; where
 *   what attention adds is normalised (post-norm), [z/σ, 1/σ] a head with that norm's σ, [b, L, H·(d_h + 1)], as are `values.<l>`
 * - `residual` [b, W]: the pooled row that `ln_post` normalises (μ and σ are its mean and deviation)
 * - `deviation` [b, 1], only if every token is normalised before they are averaged: σ
 * - `terms` [b, L+1, D]: ln_pre, then each layer's MLP output, pooled, times γ⊙P
 * - `attention.<l>` [b, H, N]: the pooled softmax weights, Σ_i w_i·A_i; `values.<l>` [b, N, W], for each of `tokenLayers`
 * - `outputs.<l>` [b, N, W]: z at every token ([b, 1, W], CLS alone, of the last layer if only CLS is read), for each of
 *   `outputLayers`
 *
 * With attention pooling of P heads z and terms are contributions to the embedding before ‖e‖, whole: `z` [b, L, H·D], `terms`
 * [b, L+2, D] with the pool's MLP last, if it has one. There is no `residual`; `attention.<l>` is [b, H, P, N], with the pool's
 * weights over the deviations behind them, A_pi/σ_i, in place of w_i.
 *
 * With `tokens`, beside `embedding`:
 *
 * - `attentions` [b, L, N, N]: each layer's softmax weights, the mean over heads; a row is a query
 * - `projected` [b, N, D]: every token on its way to the embedding as if it were the only one pooled
 * - `projectedValues` [b, N, D]: the same where each token of the last layer attends to itself alone
 * - `feature.<name>`: each of `features`; those that read a text add the input `probe` [b, D]
 *
 * Where CLS is pooled, the last layer is computed for the CLS query alone, which changes no number ("Interpreting CLIP's
 * Image Representation via Text-Based Decomposition", §3: only the CLS row reaches the embedding).
 *
 * In int8, `out_proj` and the projection stay in float32: the head geometry is made of them, so the parts of
 * what the quantised network computed still sum to its embedding as exactly as in float32.
 */
export function visionGraph(config: ModelConfig, weights: VisionWeights, options: VisionOptions): Uint8Array {
  const g = createGraph("vision");
  const tower = emitVision(g, config, weights, options);
  g.output("embedding", tower.embedding);
  if (options.kind === "decompose")
    outputParts(g, tower, weights.lnPost, weights.projection, config.embedDim);
  return g.finish();
}

/** Writes the tower into a graph; the outputs of `tokenLayers` and `tokens` are named, the rest is the caller's. */
export function emitVision(
  g: Graph,
  config: ModelConfig,
  weights: VisionWeights,
  options: VisionOptions,
): TowerValues {
  const { width, layers, heads, tokens, imageSize, epsilon, pooling, rotary } = config.vision;
  const { operators = "runtime" } = options;
  const linear = linearIn(options.precision);
  const cls = (x: Value) => g.op("Gather", [byToken(g, x, tokens, width), g.ints([0])], { axis: 1 });
  const gate = options.gated ? gateInputs(g, config.vision) : undefined;
  const byCls = pooling === "cls";
  /** At CLS where that is what is read, [b, 1, W]; else at every token, [b, N, W]. */
  const zs: Value[] = [];
  const terms: Value[] = [];
  const attentions: Value[] = [];
  const looks: { layer: number; weights: Value }[] = [];
  const views: LayerView[] = [];
  const read = (x: Value) => (byCls ? cls(x) : byToken(g, x, tokens, width));

  const pixels = g.input("pixels", "float32", ["batch", 3, imageSize, imageSize]);
  const rotate = rotary ? rotation(g, config.vision, rotary) : (x: Value) => x;
  const patches = embedPatches(g, pixels, config.vision, weights, operators);
  const embedded = config.vision.registers ? addRegister(g, patches) : patches;
  let x = asRows(g, weights.lnPre ? layerNorm(g, embedded, weights.lnPre, epsilon) : embedded, width);
  terms.push(read(x));
  for (const [layer, block] of weights.blocks.entries()) {
    const last = layer === layers - 1;
    const clsOnly = byCls && last && options.kind !== "plain" && options.kind !== "tokens";
    const rows = clsOnly ? 1 : tokens;
    const normed = block.postNorm ? x : layerNorm(g, x, block.ln1, epsilon);
    const asked = byToken(
      g,
      linear(g, clsOnly ? asRows(g, cls(normed), width) : normed, block.query),
      rows,
      width,
    );
    // The CLS token is never turned.
    const queries = clsOnly ? asked : rotate(asked);
    const key = rotate(byToken(g, linear(g, normed, block.key), tokens, width));
    const value = byToken(g, linear(g, normed, block.value), tokens, width);
    // Nothing is added where CLS looks.
    const bias = block.relative && !clsOnly ? relativeBias(g, config.vision, block.relative) : undefined;
    const added = bias ? [NONE, NONE, bias] : [];
    const heard =
      options.attention === "fused"
        ? g.op("MultiHeadAttention", [queries, key, value, ...added], { num_heads: heads })
        : attend(g, queries, key, value, config.vision, bias);
    let z = block.attentionNorm ? layerNorm(g, heard, block.attentionNorm, epsilon) : heard;
    if (gate) z = applyGate(g, z, gate, layer, config, clsOnly);
    if (options.kind === "tokens") {
      attentions.push(meanAttention(g, queries, key, config.vision, bias));
      if (last)
        g.output("projectedValues", projectValues(g, x, value, block, config, weights, linear, operators));
    }
    if (options.outputLayers?.includes(layer)) g.output(`outputs.${layer}`, z);
    const written = exactLinear(g, asRows(g, z, width), block.out);
    const after = block.postNorm
      ? postNormed(g, clsOnly ? written : asRows(g, cls(written), width), block.ln1, config)
      : (all: Value) => all;
    zs.push(byCls ? after(clsOnly ? z : g.op("Gather", [z, g.ints([0])], { axis: 1 }), 1) : z);
    const before = clsOnly ? asRows(g, cls(x), width) : x;
    x = g.op("Add", [before, attentionChange(g, written, block, epsilon)]);
    const middle = x;
    let hidden = NONE;
    const change = mlp(g, x, block, config.vision, linear, operators, (active) => {
      // CLS keeps its own.
      hidden = clsOnly ? active : moveNeurons(g, active, layer, block, config.vision);
      return hidden;
    });
    terms.push(clsOnly ? byToken(g, change, 1, width) : read(change));
    x = g.op("Add", [x, change]);
    views.push({ block, before, normed, query: queries, key, value, middle, hidden, after: x });
    if (options.tokenLayers.includes(layer)) {
      const first = byCls ? g.op("Gather", [queries, g.ints([0])], { axis: 1 }) : queries;
      looks.push({
        layer,
        weights: attentionWeights(g, first, key, config.vision, byCls ? undefined : bias),
      });
      const { attentionNorm } = block;
      const normed = attentionNorm ? frozenNorm(g, value, heard, attentionNorm, config) : value;
      g.output(`values.${layer}`, after(normed, tokens));
    }
  }
  if (options.kind === "tokens") {
    g.output("attentions", g.op("Concat", attentions, { axis: 1 }));
    g.output("projected", projectTokens(g, x, config, weights, operators));
    const features = options.features ?? [];
    const readsProbe = features.some((feature) => feature.readsProbe);
    const probe = readsProbe ? g.input("probe", "float32", ["batch", config.embedDim]) : NONE;
    const view = { config, weights, linear, operators, layers: views, probe };
    for (const { name, emit } of features) g.output(`feature.${name}`, emit(g, view));
  }
  const look = (readout: Readout | undefined) => {
    for (const { layer, weights: seen } of looks) {
      const taken = readout ? takeAttention(g, readout, seen) : seen;
      // Of one pooled row, unless the pool has heads.
      const shape = config.vision.pool ? [0, heads, config.vision.pool.heads, -1] : [0, heads, -1];
      g.output(`attention.${layer}`, g.op("Reshape", [taken, g.ints(shape)]));
    }
  };
  if (byCls) {
    look(undefined);
    const allTokens = options.kind === "plain" || options.kind === "tokens";
    const residual = allTokens ? asRows(g, cls(x), width) : x;
    const embedding = project(g, layerNorm(g, residual, weights.lnPost, epsilon), weights.projection);
    return { embedding, residual, zs, terms };
  }
  const all = byToken(g, x, tokens, width);
  if (weights.pool) return readByAttention(g, config, weights, all, zs, terms, look, options);
  const readout =
    pooling === "mean-norm" ? meanThenNorm(g, config) : normThenMean(g, config, weights.lnPost, all);
  look(readout);
  const residual = asRows(g, take(g, readout, all), width);
  const { deviation } = readout;
  return {
    embedding: project(
      g,
      deviation
        ? normWith(g, residual, deviation, weights.lnPost)
        : layerNorm(g, residual, weights.lnPost, epsilon),
      weights.projection,
    ),
    residual,
    ...(deviation && { deviation }),
    zs: zs.map((z) => take(g, readout, z)),
    terms: terms.map((term) => take(g, readout, term)),
  };
}

/** What the last layer's tokens, and every term of them, become through attention pooling. */
function readByAttention(
  g: Graph,
  config: ModelConfig,
  weights: VisionWeights,
  x: Value,
  zs: readonly Value[],
  terms: readonly Value[],
  look: (readout: Readout) => void,
  { operators = "runtime" }: VisionOptions,
): TowerValues {
  const { heads, layers } = config.vision;
  const pool = weights.pool!;
  const readout = attentionReadout(g, config, weights.lnPost, pool, x);
  const { last } = readout;
  look(
    last
      ? { weights: g.op("Mul", [readout.weights, g.op("Unsqueeze", [last.inverse, g.ints([2])])]) }
      : readout,
  );
  const map = poolMap(g, config, weights, pool, readout, operators);
  const count = 2 * layers + 1;
  const others = terms.map((term) =>
    map.apply(g.op("Unsqueeze", [take(g, readout, term), g.ints([1])]), 1, 1 / count),
  );
  return {
    embedding: poolEmbedding(g, config, weights, pool, readout.pooled, operators),
    zs: zs.map((z, layer) => {
      const written = headTerms(g, config, weights.blocks[layer], readout, take(g, readout, z));
      const heard = map.apply(written, heads, 1 / (count * heads));
      return g.op("Reshape", [heard, g.ints([0, 1, heads * config.embedDim])]);
    }),
    terms: map.mlp ? [...others, map.mlp] : others,
  };
}

/** γ⊙(x − μ)/σ + β with σ given: μ is the row's own mean. */
function normWith(g: Graph, x: Value, deviation: Value, { weight, bias }: Norm): Value {
  const centred = g.op("Sub", [x, g.op("ReduceMean", [x], { axes: [1], keepdims: 1 })]);
  const scaled = g.op("Mul", [g.op("Div", [centred, deviation]), g.weight(weight)]);
  return g.op("Add", [scaled, g.weight(bias)]);
}

/**
 * A norm between heads and output matrix as it was at the CLS token, of every token's value, [b, N, W]: Σ_i A[cls,i] of it is
 * the norm of what the heads output there, since the weights sum to one.
 * @param heard what the heads output, CLS first, before the norm
 */
function frozenNorm(
  g: Graph,
  values: Value,
  heard: Value,
  norm: Norm,
  { vision: { epsilon } }: ModelConfig,
): Value {
  const row = g.op("Gather", [heard, g.ints([0])], { axis: 1 });
  const { mean, inverse } = moments(g, row, norm, epsilon);
  const normed = g.op("Mul", [g.op("Sub", [values, mean]), inverse]);
  return g.op("Add", [g.op("Mul", [normed, g.weight(norm.weight)]), g.weight(norm.bias)]);
}

/**
 * What heads are where the sum of what they write is normalised, with that norm's deviation σ as it was at the CLS token: z of
 * [b, rows, W] to [z/σ, 1/σ] of every head, [b, rows, H·(d_h + 1)]. The norm's mean is each head's own, a linear map of z.
 * @param written what the output matrix wrote at CLS, [b, W]
 */
function postNormed(
  g: Graph,
  written: Value,
  norm: Norm,
  { vision: { heads, headDim, epsilon } }: ModelConfig,
): (z: Value, rows: number) => Value {
  const { inverse } = moments(g, written, norm, epsilon);
  const scale = g.op("Reshape", [inverse, g.ints([-1, 1, 1, 1])]);
  return (z, rows) => {
    const perHead = g.op("Mul", [g.op("Reshape", [z, g.ints([-1, rows, heads, headDim])]), scale]);
    const constant = g.op("Expand", [scale, g.ints([1, rows, heads, 1])]);
    const all = g.op("Concat", [perHead, constant], { axis: 3 });
    return byToken(g, all, rows, heads * (headDim + 1));
  };
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
  weights: VisionWeights,
  linear: EmitLinear,
  operators: Operators,
): Value {
  const { width, epsilon } = config.vision;
  const z = block.attentionNorm ? layerNorm(g, value, block.attentionNorm, epsilon) : value;
  const own = g.op("Add", [
    x,
    attentionChange(g, exactLinear(g, asRows(g, z, width), block.out), block, epsilon),
  ]);
  const after = g.op("Add", [own, mlp(g, own, block, config.vision, linear, operators)]);
  return projectTokens(g, after, config, weights, operators);
}

/** Full-forward ablation: what heads are multiplied with, what takes their place, what goes along directions. */
interface GateInputs {
  readonly gate: Value;
  readonly offset: Value;
  readonly reads: Value;
  readonly writes: Value;
}

const gateInputs = (g: Graph, { layers, heads, tokens, width }: VisionConfig): GateInputs => ({
  gate: g.input("gate", "float32", [layers, heads]),
  offset: g.input("offset", "float32", [layers, tokens, width]),
  reads: g.input("reads", "float32", [layers, width, "rank"]),
  writes: g.input("writes", "float32", [layers, "rank", width]),
});

/** z·gate + (z·reads)·writes + offset: heads, or directions of theirs, to zero or to a mean. */
function applyGate(
  g: Graph,
  z: Value,
  { gate, offset, reads, writes }: GateInputs,
  layer: number,
  { vision: { heads, headDim, tokens, width } }: ModelConfig,
  clsOnly: boolean,
): Value {
  const rows = clsOnly ? 1 : tokens;
  const ofLayer = (x: Value, shape: readonly number[]) =>
    g.op("Reshape", [g.op("Gather", [x, g.ints([layer])]), g.ints(shape)]);
  const perHead = g.op("Reshape", [z, g.ints([-1, rows, heads, headDim])]);
  const gated = byToken(g, g.op("Mul", [perHead, ofLayer(gate, [1, 1, heads, 1])]), rows, width);
  const along = g.op("MatMul", [asRows(g, z, width), ofLayer(reads, [width, -1])]);
  const added = byToken(g, g.op("MatMul", [along, ofLayer(writes, [-1, width])]), rows, width);
  const layerOffset = g.op("Gather", [offset, g.ints([layer])]);
  const used = clsOnly ? g.op("Gather", [layerOffset, g.ints([0])], { axis: 1 }) : layerOffset;
  return g.op("Add", [g.op("Add", [gated, added]), used]);
}
