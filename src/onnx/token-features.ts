import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { Block, VisionWeights } from "../checkpoint/weight-roles.ts";
import { splitHeads } from "./attention.ts";
import type { Graph, Value } from "./graph.ts";
import { type EmitLinear, exactLinear } from "./linear.ts";
import { poolEachToken } from "./readout.ts";
import { asRows, attentionChange, byToken, layerNorm, type Operators, project } from "./transformer.ts";

/*
 * What a method of segmentation may compute of the image tower's tokens, beside the forward pass: it is written into the same
 * graph, so nothing is computed twice and any runtime runs it.
 */

/** What a method reads of the tower. */
export interface TokenFeature {
  /** Names the output `feature.<name>`. */
  readonly name: string;
  /** Whether it depends on a text: it may then read {@link TowerView.probe}. */
  readonly readsProbe: boolean;
  /** [b, N, D], every token in the joint space; or of a method that gives a map at once, [b, patches]. */
  readonly emit: (g: Graph, tower: TowerView) => Value;
}

/** The tower as a method sees it. */
export interface TowerView {
  readonly config: ModelConfig;
  readonly weights: VisionWeights;
  readonly linear: EmitLinear;
  readonly operators: Operators;
  readonly layers: readonly LayerView[];
  /** [b, D]: a direction in the joint space for each image. */
  readonly probe: Value;
}

/** One layer of the forward pass, at every token. */
export interface LayerView {
  readonly block: Block;
  /** The residual stream as the layer finds it, between attention and MLP, and as the layer leaves it: [b·N, W]. */
  readonly before: Value;
  readonly middle: Value;
  readonly after: Value;
  /** What the MLP's second map reads: [b·N, M]. */
  readonly hidden: Value;
  /** What queries, keys and values are made of: [b·N, W]. */
  readonly normed: Value;
  /** [b, N, W] each. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** Every row of [b·N, W] on its way to the embedding as if it were pooled alone: [b, N, D]. */
export function projectTokens(
  g: Graph,
  x: Value,
  config: ModelConfig,
  weights: VisionWeights,
  operators: Operators,
): Value {
  const { tokens, epsilon } = config.vision;
  const { pool, lnPost, projection } = weights;
  const rows = pool
    ? poolEachToken(g, config, weights, pool, x, operators)
    : project(g, layerNorm(g, x, lnPost, epsilon), projection);
  return byToken(g, rows, tokens, config.embedDim);
}

/** [b, N, W] as [b, H, N, d_h]. */
export const perHead = (g: Graph, x: Value, { vision: { heads, headDim } }: ModelConfig): Value =>
  splitHeads(g, x, heads, headDim, [0, 2, 1, 3]);

/** a·aᵀ·scale of [b, H, N, d_h]: how like each token is to each other, [b, H, N, N]. */
export const likeness = (g: Graph, a: Value, scale: Value): Value =>
  g.op("Mul", [g.op("MatMul", [a, g.op("Transpose", [a], { perm: [0, 1, 3, 2] })]), scale]);

/** What a layer's attention would add to the residual stream if its heads looked by other weights [b, H, N, N]: [b·N, W]. */
export function lookBy(g: Graph, weights: Value, { block, value }: LayerView, config: ModelConfig): Value {
  const { tokens, width, epsilon } = config.vision;
  const heard = g.op("MatMul", [weights, perHead(g, value, config)]);
  const joined = byToken(g, g.op("Transpose", [heard], { perm: [0, 2, 1, 3] }), tokens, width);
  const z = block.attentionNorm ? layerNorm(g, joined, block.attentionNorm, epsilon) : joined;
  return attentionChange(g, exactLinear(g, asRows(g, z, width), block.out), block, epsilon);
}
