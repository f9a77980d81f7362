import type { ModelConfig, TowerConfig } from "../checkpoint/model-config.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import type { Block, VisionWeights } from "../checkpoint/weight-roles.ts";
import { createGraph, type Graph, type Value } from "./graph.ts";
import { poolMatrices } from "./readout.ts";
import { scaledProjection } from "./transformer.ts";

/** What of a tower's weights the head geometry is made of; a text tower's last norm is its `lnFinal`. */
export type LastMaps = Pick<VisionWeights, "blocks" | "lnPost" | "projection">;

/**
 * Writes the graph that computes the head geometry from the weights (no input):
 *
 * - `M` [L, W, D]: per layer W_Oᵀ·diag(γ)·P in PyTorch's layout; rows h·d_h … are M_lh of head h. Where what attention adds is
 *   normalised with γ₁ and β₁ (post-norm) [L, H·(d_h + 1), D]: [W_O^h; b_O/H]·C·diag(γ₁)·diag(γ)·P, C taking the mean off
 * - `k` [L, D]: (b_O⊙γ)·P of each layer; with post-norm (β₁⊙γ)·P
 * - `s` [1, D]: γ·P
 * - `b` [1, D]: β·P, and the projection's bias where it has one
 *
 * W_O and b_O are multiplied by the layer scale where there is one.
 */
export function geometryGraph(tower: TowerConfig, embedDim: number, weights: LastMaps): Uint8Array {
  const g = createGraph("geometry");
  const scaled = scaledProjection(g, weights.lnPost, weights.projection);
  const row = (vector: TensorRef) => g.op("Reshape", [g.weight(vector), g.ints([1, -1])]);
  const times = (numbers: TensorRef) =>
    g.op("Mul", [scaled, g.op("Reshape", [g.weight(numbers), g.ints([-1, 1])])]);
  const through = ({ attentionScale, postNorm, ln1 }: Block): Value => {
    if (!postNorm) return attentionScale ? times(attentionScale) : scaled;
    const normed = times(ln1.weight);
    return g.op("Sub", [normed, g.op("ReduceMean", [normed], { axes: [0], keepdims: 1 })]);
  };
  const { heads, headDim, width } = tower;
  const layers = weights.blocks.map((block) => {
    const matrix = g.op("Gemm", [g.weight(block.out.weight), through(block)], { transA: 1 });
    if (!block.postNorm) return g.op("Reshape", [matrix, g.ints([1, width, embedDim])]);
    const bias = g.op("Mul", [g.op("MatMul", [row(block.out.bias), through(block)]), g.scalar(1 / heads)]);
    const perHead = g.op("Reshape", [matrix, g.ints([heads, headDim, embedDim])]);
    const each = g.op("Expand", [bias, g.ints([heads, 1, embedDim])]);
    const all = g.op("Concat", [perHead, each], { axis: 1 });
    return g.op("Reshape", [all, g.ints([1, heads * (headDim + 1), embedDim])]);
  });
  const biases = weights.blocks.map((block) =>
    block.postNorm
      ? g.op("MatMul", [row(block.ln1.bias), scaled])
      : g.op("MatMul", [row(block.out.bias), through(block)]),
  );
  g.output("M", g.op("Concat", layers, { axis: 0 }));
  g.output("k", g.op("Concat", biases, { axis: 0 }));
  g.output("s", g.op("ReduceSum", [scaled, g.ints([0])], { keepdims: 1 }));
  g.output("b", lastConstant(g, weights));
  return g.finish();
}

/** β·P and P's bias, [1, D]. */
function lastConstant(g: Graph, { lnPost, projection }: LastMaps): Value {
  const beta = g.op("Reshape", [g.weight(lnPost.bias), g.ints([1, -1])]);
  if (!projection) return beta;
  const { weight, transposed, bias } = projection;
  const product = g.op("Gemm", [beta, g.weight(weight)], { transB: transposed ? 1 : 0 });
  return bias ? g.op("Add", [product, g.weight(bias)]) : product;
}

/**
 * Writes the graph of what token maps need of a model that pools by attention (no input):
 *
 * - `O` [L, W, W]: W_Oᵀ of each layer in PyTorch's layout, layer scale included; rows h·d_h … are head h's
 * - `T` [P·W, D]: T_p = diag(γ)·W_V^p·W_O^p·P of each head of the pool, with the γ of a norm behind the pool
 */
export function poolGeometryGraph(config: ModelConfig, weights: VisionWeights): Uint8Array {
  const { width } = config.vision;
  const g = createGraph("pool geometry");
  const scaled = (value: Value, { attentionScale }: Block): Value =>
    attentionScale ? g.op("Mul", [value, g.weight(attentionScale)]) : value;
  const layers = weights.blocks.map((block) => {
    const matrix = g.op("Transpose", [g.weight(block.out.weight)], { perm: [1, 0] });
    return g.op("Reshape", [scaled(matrix, block), g.ints([1, width, width])]);
  });
  g.output("O", g.op("Concat", layers, { axis: 0 }));
  g.output("T", poolMatrices(g, config, weights, weights.pool!));
  return g.finish();
}
