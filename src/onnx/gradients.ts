import type { TowerActivation, TowerConfig } from "../checkpoint/model-config.ts";
import type { Block, Norm } from "../checkpoint/weight-roles.ts";
import type { Graph, Value } from "./graph.ts";
import { exactLinear } from "./linear.ts";
import type { LayerView, TowerView } from "./token-features.ts";
import { layerNorm, moments, project } from "./transformer.ts";

/*
 * Gradients written down by hand: ONNX Runtime has none at inference. Each function takes the gradient of a number with respect
 * to what a piece of the tower gave, and gives it with respect to what that piece read.
 */

/** Whether gradients of a block are written here: attention and an MLP, each behind a norm, with nothing more than a scale. */
export const hasGradient = ({ postNorm, attentionNorm, mlpNorm, gate, hiddenNorm }: Block): boolean =>
  !(postNorm || attentionNorm || mlpNorm || gate || hiddenNorm);

/** Through γ⊙(x − μ)/σ + β, row by row: (ĝ − mean ĝ − x̂·mean(ĝ⊙x̂))/σ with ĝ = γ⊙g. */
export function throughNorm(g: Graph, x: Value, norm: Norm, epsilon: number, gradient: Value): Value {
  const { mean, inverse } = moments(g, x, norm, epsilon);
  const normed = g.op("Mul", [g.op("Sub", [x, mean]), inverse]);
  const scaled = g.op("Mul", [gradient, g.weight(norm.weight)]);
  const meanOf = (value: Value) => g.op("ReduceMean", [value], { axes: [-1], keepdims: 1 });
  const along = g.op("Mul", [normed, meanOf(g.op("Mul", [scaled, normed]))]);
  return g.op("Mul", [g.op("Sub", [g.op("Sub", [scaled, meanOf(scaled)]), along]), inverse]);
}

/** Through x + MLP(x), rows of [rows, W]. */
export function throughMlp(
  g: Graph,
  x: Value,
  { ln2, fc1, fc2, mlpScale }: Block,
  { activation, epsilon }: TowerConfig,
  gradient: Value,
): Value {
  const hidden = exactLinear(g, layerNorm(g, x, ln2, epsilon), fc1);
  const written = mlpScale ? g.op("Mul", [gradient, g.weight(mlpScale)]) : gradient;
  const active = g.op("Mul", [
    g.op("MatMul", [written, g.weight(fc2.weight)]),
    SLOPES[activation](g, hidden),
  ]);
  const read = g.op("MatMul", [active, g.weight(fc1.weight)]);
  return g.op("Add", [gradient, throughNorm(g, x, ln2, epsilon, read)]);
}

/** Through the heads' output matrix: from what attention adds to the residual stream to z, rows of [rows, W]. */
export function throughOut(g: Graph, { block: { out, attentionScale } }: LayerView, gradient: Value): Value {
  const written = attentionScale ? g.op("Mul", [gradient, g.weight(attentionScale)]) : gradient;
  return g.op("MatMul", [written, g.weight(out.weight)]);
}

/** The gradient of t·e/‖e‖, with e what rows x of [b, W] are in the joint space and t the probe: [b, W]. */
export function cosineGradient(g: Graph, x: Value, { config, weights, probe }: TowerView): Value {
  const { lnPost, projection } = weights;
  const { epsilon } = config.vision;
  const embedding = project(g, layerNorm(g, x, lnPost, epsilon), projection);
  const norm = g.op("ReduceL2", [embedding], { axes: [1], keepdims: 1 });
  const unit = g.op("Div", [embedding, norm]);
  const cosine = g.op("ReduceSum", [g.op("Mul", [probe, unit]), g.ints([1])], { keepdims: 1 });
  const change = g.op("Div", [g.op("Sub", [probe, g.op("Mul", [cosine, unit])]), norm]);
  const normed = projection
    ? g.op("Gemm", [change, g.weight(projection.weight)], { transB: projection.transposed ? 0 : 1 })
    : change;
  return throughNorm(g, x, lnPost, epsilon, normed);
}

const QUICK = 1.702;
/** x·sigmoid(a·x): s + a·x·s·(1 − s). */
const swish =
  (a: number) =>
  (g: Graph, x: Value): Value => {
    const s = g.op("Sigmoid", [g.op("Mul", [x, g.scalar(a)])]);
    const bend = g.op("Mul", [s, g.op("Sub", [g.scalar(1), s])]);
    return g.op("Add", [s, g.op("Mul", [g.op("Mul", [x, g.scalar(a)]), bend])]);
  };

/** How steep each activation is. */
export const SLOPES: Record<TowerActivation, (g: Graph, x: Value) => Value> = {
  // Φ(x) + x·φ(x)
  gelu: (g, x) => {
    const erf = g.op("Erf", [g.op("Mul", [x, g.scalar(Math.SQRT1_2)])]);
    const below = g.op("Mul", [g.op("Add", [erf, g.scalar(1)]), g.scalar(0.5)]);
    const bell = g.op("Exp", [g.op("Mul", [g.op("Mul", [x, x]), g.scalar(-0.5)])]);
    return g.op("Add", [below, g.op("Mul", [g.op("Mul", [x, bell]), g.scalar(1 / Math.sqrt(2 * Math.PI))])]);
  },
  quick_gelu: swish(QUICK),
  // With u = √(2/π)·(x + 0.044715·x³): (1 + tanh u)/2 + x/2·(1 − tanh² u)·u′
  gelu_tanh: (g, x) => {
    const c = Math.sqrt(2 / Math.PI);
    const square = g.op("Mul", [x, x]);
    const u = g.op("Mul", [
      g.op("Mul", [x, g.scalar(c)]),
      g.op("Add", [g.op("Mul", [square, g.scalar(0.044715)]), g.scalar(1)]),
    ]);
    const slope = g.op("Add", [g.op("Mul", [square, g.scalar(3 * 0.044715 * c)]), g.scalar(c)]);
    const tanh = g.op("Tanh", [u]);
    const rest = g.op("Sub", [g.scalar(1), g.op("Mul", [tanh, tanh])]);
    const bent = g.op("Mul", [g.op("Mul", [x, rest]), slope]);
    return g.op("Mul", [g.op("Add", [g.op("Add", [tanh, g.scalar(1)]), bent]), g.scalar(0.5)]);
  },
  silu: swish(1),
  relu: (g, x) => g.op("Sign", [g.op("Relu", [x])]),
};
