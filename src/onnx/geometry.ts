import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { ClipWeights } from "../checkpoint/weights.ts";
import { createGraph } from "./graph.ts";
import { scaledProjection } from "./transformer.ts";

/**
 * Writes the graph that computes the head geometry from the weights (no input):
 *
 * - `M` [L, W, D]: per layer W_Oᵀ·diag(γ)·P in PyTorch's layout; rows h·d_h … are M_lh of head h
 * - `k` [L, D]: (b_O⊙γ)·P of each layer
 * - `s` [1, D]: γ·P
 * - `b` [1, D]: β·P
 */
export function geometryGraph({ vision, embedDim }: ModelConfig, weights: ClipWeights["vision"]): Uint8Array {
  const g = createGraph("geometry");
  const scaled = scaledProjection(g, weights.lnPost, weights.projection);
  const { weight, transposed } = weights.projection;
  const row = (vector: Parameters<typeof g.weight>[0]) =>
    g.op("Reshape", [g.weight(vector), g.ints([1, -1])]);
  const layers = weights.blocks.map(({ out }) => {
    const matrix = g.op("Gemm", [g.weight(out.weight), scaled], { transA: 1 });
    return g.op("Reshape", [matrix, g.ints([1, vision.width, embedDim])]);
  });
  const biases = weights.blocks.map(({ out }) => g.op("MatMul", [row(out.bias), scaled]));
  g.output("M", g.op("Concat", layers, { axis: 0 }));
  g.output("k", g.op("Concat", biases, { axis: 0 }));
  g.output("s", g.op("ReduceSum", [scaled, g.ints([0])], { keepdims: 1 }));
  g.output("b", g.op("Gemm", [row(weights.lnPost.bias), g.weight(weight)], { transB: transposed ? 1 : 0 }));
  return g.finish();
}
