import type { Activation, TowerConfig } from "../checkpoint/model-config.ts";
import type { Block, Norm, Projection } from "../checkpoint/weights.ts";
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

/** x·P for x of [rows, width] into the joint space. */
export const project = (g: Graph, x: Value, { weight, transposed }: Projection): Value =>
  g.op("Gemm", [x, g.weight(weight)], { transB: transposed ? 1 : 0 });

/** [rows·tokens, width] seen as [batch, tokens, width]. */
export const byToken = (g: Graph, x: Value, tokens: number, width: number): Value =>
  g.op("Reshape", [x, g.ints([-1, tokens, width])]);

/** [batch, tokens, width] seen as [rows, width]. */
export const asRows = (g: Graph, x: Value, width: number): Value => g.op("Reshape", [x, g.ints([-1, width])]);

/** What a graph may be made of: ONNX Runtime's operators too, or ONNX's own only, which every runtime knows. */
export type Operators = "runtime" | "standard";

/** The MLP's addition to the residual stream: fc2(activation(fc1(ln2 x))). */
export function mlp(
  g: Graph,
  x: Value,
  block: Block,
  { activation, epsilon }: TowerConfig,
  linear: EmitLinear,
  operators: Operators = "runtime",
): Value {
  const hidden = linear(g, layerNorm(g, x, block.ln2, epsilon), block.fc1);
  return linear(g, ACTIVATIONS[operators][activation](g, hidden), block.fc2);
}

const QUICK = 1.702;
const ACTIVATIONS: Record<Operators, Record<Activation, (g: Graph, x: Value) => Value>> = {
  runtime: {
    gelu: (g, x) => g.op("Gelu", [x]),
    quick_gelu: (g, x) => g.op("QuickGelu", [x], { alpha: { float: QUICK } }),
  },
  standard: {
    // x/2·(1 + erf(x/√2)): ONNX's own Gelu came with opset 20.
    gelu: (g, x) => {
      const erf = g.op("Erf", [g.op("Mul", [x, g.scalar(Math.SQRT1_2)])]);
      return g.op("Mul", [g.op("Mul", [x, g.scalar(0.5)]), g.op("Add", [erf, g.scalar(1)])]);
    },
    quick_gelu: (g, x) => g.op("Mul", [x, g.op("Sigmoid", [g.op("Mul", [x, g.scalar(QUICK)])])]),
  },
};

/** γ⊙P of [width, D]: projects one residual term into the joint space, before the division by σ‖e‖. */
export function scaledProjection(g: Graph, norm: Norm, { weight, transposed }: Projection): Value {
  const stored = g.weight(weight);
  const projection = transposed ? g.op("Transpose", [stored], { perm: [1, 0] }) : stored;
  return g.op("Mul", [projection, g.op("Reshape", [g.weight(norm.weight), g.ints([-1, 1])])]);
}
