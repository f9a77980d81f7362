import type { TowerActivation, TowerConfig } from "../checkpoint/model-config.ts";
import type { Block, Norm, Projection } from "../checkpoint/weight-roles.ts";
import type { Graph, Value } from "./graph.ts";
import type { EmitLinear } from "./linear.ts";

/*
 * The pieces that both towers are made of. Activations are kept two-dimensional, [batch·tokens, width], so
 * that every linear map is one Gemm on PyTorch's own weight layout (transB) and its bias costs nothing.
 */

/** Layer normalisation over the last axis. */
export const layerNorm = (g: Graph, x: Value, { weight, bias }: Norm, epsilon: number): Value =>
  g.op("LayerNormalization", [x, g.weight(weight), g.weight(bias)], {
    axis: -1,
    epsilon: { float: epsilon },
  });

/** What a normalisation subtracts and multiplies by, a number a row. */
export interface Moments {
  readonly mean: Value;
  readonly inverse: Value;
}

/**
 * Means and inverse deviations 1/√(var + ε) of every row, [… , 1] each: those of the operator that normalises, whose numbers do
 * not depend on how many rows there are.
 */
export function moments(g: Graph, x: Value, { weight, bias }: Norm, epsilon: number): Moments {
  const inputs = [x, g.weight(weight), g.weight(bias)];
  const [, mean, inverse] = g.ops("LayerNormalization", inputs, { axis: -1, epsilon: { float: epsilon } }, 3);
  return { mean, inverse };
}

/** x·P for x of [rows, width] into the joint space; x itself where it is there already. */
export function project(g: Graph, x: Value, projection: Projection | undefined): Value {
  if (!projection) return x;
  const { weight, transposed, bias } = projection;
  return g.op("Gemm", [x, g.weight(weight), ...(bias ? [g.weight(bias)] : [])], {
    transB: transposed ? 1 : 0,
  });
}

/** [rows·tokens, width] seen as [batch, tokens, width]. */
export const byToken = (g: Graph, x: Value, tokens: number, width: number): Value =>
  g.op("Reshape", [x, g.ints([-1, tokens, width])]);

/** [batch, tokens, width] seen as [rows, width]. */
export const asRows = (g: Graph, x: Value, width: number): Value => g.op("Reshape", [x, g.ints([-1, width])]);

/** What a graph may be made of: ONNX Runtime's operators too, or ONNX's own only, which every runtime knows. */
export type Operators = "runtime" | "standard";

/** What attention adds to the residual stream, of what its output matrix wrote. */
export function attentionChange(
  g: Graph,
  written: Value,
  { ln1, postNorm, attentionScale }: Block,
  epsilon: number,
): Value {
  const change = postNorm ? layerNorm(g, written, ln1, epsilon) : written;
  return attentionScale ? g.op("Mul", [change, g.weight(attentionScale)]) : change;
}

/** The MLP's addition to the residual stream: fc2(activation(fc1(ln2 x))), with what else its block has. */
export function mlp(
  g: Graph,
  x: Value,
  block: Block,
  { activation, epsilon }: TowerConfig,
  linear: EmitLinear,
  operators: Operators = "runtime",
  /** Sees what the second map reads, [rows, M], and may put something else in its place. */
  change: (hidden: Value) => Value = (hidden) => hidden,
): Value {
  const { ln2, mlpNorm, gate, fc1, hiddenNorm, fc2, mlpScale, postNorm } = block;
  const activate = ACTIVATIONS[operators][activation];
  let read = postNorm ? x : layerNorm(g, x, ln2, epsilon);
  if (mlpNorm) read = layerNorm(g, read, mlpNorm, epsilon);
  let hidden = gate
    ? g.op("Mul", [activate(g, linear(g, read, gate)), linear(g, read, fc1)])
    : activate(g, linear(g, read, fc1));
  if (hiddenNorm) hidden = layerNorm(g, hidden, hiddenNorm, epsilon);
  let written = linear(g, change(hidden), fc2);
  if (postNorm) written = layerNorm(g, written, ln2, epsilon);
  return mlpScale ? g.op("Mul", [written, g.weight(mlpScale)]) : written;
}

const QUICK = 1.702;
/** What activations are made of. */
export const ACTIVATIONS: Record<Operators, Record<TowerActivation, (g: Graph, x: Value) => Value>> = {
  runtime: {
    gelu: (g, x) => g.op("Gelu", [x]),
    quick_gelu: (g, x) => g.op("QuickGelu", [x], { alpha: { float: QUICK } }),
    gelu_tanh: (g, x) => g.op("FastGelu", [x]),
    silu: (g, x) => g.op("QuickGelu", [x], { alpha: { float: 1 } }),
    relu: (g, x) => g.op("Relu", [x]),
  },
  standard: {
    // x/2·(1 + erf(x/√2)): ONNX's own Gelu came with opset 20.
    gelu: (g, x) => {
      const erf = g.op("Erf", [g.op("Mul", [x, g.scalar(Math.SQRT1_2)])]);
      return g.op("Mul", [g.op("Mul", [x, g.scalar(0.5)]), g.op("Add", [erf, g.scalar(1)])]);
    },
    quick_gelu: (g, x) => g.op("Mul", [x, g.op("Sigmoid", [g.op("Mul", [x, g.scalar(QUICK)])])]),
    // x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
    gelu_tanh: (g, x) => {
      const cube = g.op("Mul", [g.op("Mul", [x, x]), x]);
      const inner = g.op("Add", [x, g.op("Mul", [cube, g.scalar(0.044715)])]);
      const tanh = g.op("Tanh", [g.op("Mul", [inner, g.scalar(Math.sqrt(2 / Math.PI))])]);
      return g.op("Mul", [g.op("Mul", [x, g.scalar(0.5)]), g.op("Add", [tanh, g.scalar(1)])]);
    },
    silu: (g, x) => g.op("Mul", [x, g.op("Sigmoid", [x])]),
    relu: (g, x) => g.op("Relu", [x]),
  },
};

/** γ⊙P of [width, D]: projects one residual term into the joint space, before the division by σ‖e‖. */
export function scaledProjection(g: Graph, norm: Norm, last: Projection | undefined): Value {
  const [width] = norm.weight.shape;
  if (!last) {
    const one = g.floats(identity(width), [width, width]);
    return g.op("Mul", [one, g.weight(norm.weight)]);
  }
  const { weight, transposed } = last;
  const stored = g.weight(weight);
  const projection = transposed ? g.op("Transpose", [stored], { perm: [1, 0] }) : stored;
  return g.op("Mul", [projection, g.op("Reshape", [g.weight(norm.weight), g.ints([-1, 1])])]);
}

/** The identity matrix, [size, size]. */
export function identity(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

/** A tower's values that outputs are made of; names and shapes as in `visionGraph`. */
export interface TowerValues {
  readonly embedding: Value;
  /** Absent with attention pooling, where nothing is normalised as a whole. */
  readonly residual?: Value;
  /** [b, 1]: what the last norm divides by, where it is not the residual's own deviation. */
  readonly deviation?: Value;
  /** Per layer, what its heads have of the pooled row: z, [b, 1, W]; with attention pooling contributions, [b, 1, H·D]. */
  readonly zs: readonly Value[];
  /** Per other term, [b, 1, W], before γ⊙P; with attention pooling [b, 1, D]. */
  readonly terms: readonly Value[];
  /** What all layers' attention added to the pooled row, [b, W], where the sum of all parts is made of it. */
  readonly attended?: Value;
}

/** Names what a decomposition is made of: `z`, `terms`, what the last norm did, and the sum of all heads where it is known. */
export function outputParts(
  g: Graph,
  { zs, terms, residual, deviation, attended }: TowerValues,
  lastNorm: Norm,
  projection: Projection | undefined,
  embedDim: number,
): void {
  const together = g.op("Concat", terms, { axis: 1 });
  g.output("z", g.op("Concat", zs, { axis: 1 }));
  if (residual) {
    const [width] = lastNorm.weight.shape;
    const scaled = scaledProjection(g, lastNorm, projection);
    const projected = g.op("MatMul", [asRows(g, together, width), scaled]);
    g.output("terms", byToken(g, projected, terms.length, embedDim));
    if (attended) g.output("heads", g.op("MatMul", [attended, scaled]));
    g.output("residual", residual);
  } else g.output("terms", together);
  if (deviation) g.output("deviation", deviation);
}
