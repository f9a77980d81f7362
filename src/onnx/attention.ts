import type { RotaryConfig, VisionConfig } from "../checkpoint/model-config.ts";
import type { RelativePositions } from "../checkpoint/weight-roles.ts";
import type { Graph, Value } from "./graph.ts";
import { exactLinear } from "./linear.ts";

/** softmax(q·kᵀ/√d_h + bias)·v, heads side by side: queries [b, rows, W], key and value [b, N, W], bias [1, H, rows, N]. */
export function attend(
  g: Graph,
  queries: Value,
  key: Value,
  value: Value,
  { heads, headDim, width }: Pick<VisionConfig, "heads" | "headDim" | "width">,
  bias?: Value,
): Value {
  const weights = attentionWeights(g, queries, key, { heads, headDim }, bias);
  const perHead = g.op("MatMul", [weights, splitHeads(g, value, heads, headDim, [0, 2, 1, 3])]);
  return g.op("Reshape", [g.op("Transpose", [perHead], { perm: [0, 2, 1, 3] }), g.ints([0, -1, width])]);
}

/** softmax(q·kᵀ/√d_h + bias) of [b, H, rows, N]. */
export function attentionWeights(
  g: Graph,
  queries: Value,
  key: Value,
  { heads, headDim }: Pick<VisionConfig, "heads" | "headDim">,
  bias?: Value,
): Value {
  const q = splitHeads(g, queries, heads, headDim, [0, 2, 1, 3]);
  const k = splitHeads(g, key, heads, headDim, [0, 2, 3, 1]);
  const logits = g.op("Mul", [g.op("MatMul", [q, k]), g.scalar(1 / Math.sqrt(headDim))]);
  return g.op("Softmax", [bias ? g.op("Add", [logits, bias]) : logits], { axis: -1 });
}

/** One layer's softmax weights, averaged over heads: [b, 1, N, N]. */
export function meanAttention(
  g: Graph,
  queries: Value,
  key: Value,
  config: Pick<VisionConfig, "heads" | "headDim">,
  bias?: Value,
): Value {
  const sum = g.op("ReduceSum", [attentionWeights(g, queries, key, config, bias), g.ints([1])], {
    keepdims: 1,
  });
  return g.op("Mul", [sum, g.scalar(1 / config.heads)]);
}

/** [b, rows, W] as [b, rows, H, d_h] with its axes in another order. */
export const splitHeads = (
  g: Graph,
  x: Value,
  heads: number,
  headDim: number,
  perm: readonly number[],
): Value => g.op("Transpose", [g.op("Reshape", [x, g.ints([0, -1, heads, headDim])])], { perm });

/** Rotates queries or keys, [b, N, W], by where their tokens lie. */
export type Rotate = (x: Value) => Value;

/**
 * Positions as rotations: each pair of a head's numbers turns by its token's row or column times the pair's frequency
 * ("RoFormer", arXiv 2104.09864, for two dimensions as EVA-02 and the Perception Encoder do it). The CLS token is not turned.
 */
export function rotation(g: Graph, config: VisionConfig, rotary: RotaryConfig): Rotate {
  const { tokens, width } = config;
  const { cosines, sines } = rotationTable(config, rotary);
  const cos = g.floats(cosines, [tokens, width]);
  const sin = g.floats(sines, [tokens, width]);
  const partner = g.ints(Array.from({ length: width }, (_, i) => i ^ 1));
  return (x) =>
    g.op("Add", [g.op("Mul", [x, cos]), g.op("Mul", [g.op("Gather", [x, partner], { axis: 2 }), sin])]);
}

/** Cosines and signed sines, [N, W]: (a, b) becomes (a·cos − b·sin, b·cos + a·sin). */
function rotationTable(
  { tokens, prefix, grid, width, headDim }: VisionConfig,
  { referenceGrid, offset, first }: RotaryConfig,
): { cosines: Float32Array; sines: Float32Array } {
  const cosines = new Float32Array(tokens * width).fill(1);
  const sines = new Float32Array(tokens * width);
  const bands = headDim / 4;
  const place = (index: number) => ((index + offset) / grid) * (referenceGrid ?? grid);
  for (let token = prefix; token < tokens; token++) {
    const [row, column] = [Math.floor((token - prefix) / grid), (token - prefix) % grid];
    const coordinates = first === "row" ? [row, column] : [column, row];
    for (let i = 0; i < width; i++) {
      const pair = Math.floor((i % headDim) / 2);
      const angle = place(coordinates[pair < bands ? 0 : 1]) / 10000 ** ((pair % bands) / bands);
      cosines[token * width + i] = Math.cos(angle);
      sines[token * width + i] = i % 2 === 0 ? -Math.sin(angle) : Math.sin(angle);
    }
  }
  return { cosines, sines };
}

/**
 * What relative positions add to the logits of every pair of tokens, [1, H, N, N]: an MLP of the logarithms of how many rows and
 * columns lie between two patches ("Swin Transformer V2", arXiv 2111.09883, §3.3, as timm's `RelPosMlp` has it); nothing where the
 * CLS token looks or is looked at.
 */
export function relativeBias(
  g: Graph,
  { tokens, prefix, grid, heads }: VisionConfig,
  { fc1, fc2 }: RelativePositions,
): Value {
  const side = 2 * grid - 1;
  const distances = Float32Array.from({ length: 2 * side * side }, (_, at) => {
    const [row, column] = [Math.floor(at / 2 / side), Math.floor(at / 2) % side];
    const distance = (at % 2 === 0 ? row : column) - (grid - 1);
    return Math.sign(distance) * Math.log1p(Math.abs(distance));
  });
  const hidden = exactLinear(g, g.floats(distances, [side * side, 2]), fc1);
  const numbers = exactLinear(g, g.op("Relu", [hidden]), fc2);
  const table = g.op("Concat", [numbers, g.floats(new Float32Array(heads), [1, heads])], { axis: 0 });
  const rows = Array.from({ length: tokens * tokens }, (_, pair) => {
    const [query, key] = [Math.floor(pair / tokens) - prefix, (pair % tokens) - prefix];
    if (query < 0 || key < 0) return side * side;
    const row = Math.floor(query / grid) - Math.floor(key / grid) + grid - 1;
    return row * side + (query % grid) - (key % grid) + grid - 1;
  });
  const pairs = g.op("Reshape", [g.op("Gather", [table, g.ints(rows)]), g.ints([1, tokens, tokens, heads])]);
  return g.op("Transpose", [pairs], { perm: [0, 3, 1, 2] });
}
