import type { Linear } from "../checkpoint/weight-roles.ts";
import type { Graph, Value } from "./graph.ts";

/** What the towers' linear maps are computed in: float32, or eight-bit integers as a labelled approximation. */
export const PRECISIONS = ["fp32", "int8"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Writes x·Wᵀ + b for x of [rows, in] into a graph. */
export type EmitLinear = (g: Graph, x: Value, linear: Linear) => Value;

/** In float32, as one Gemm on PyTorch's own weight layout. */
export const exactLinear: EmitLinear = (g, x, { weight, bias }) =>
  g.op("Gemm", [x, g.weight(weight), ...(bias ? [g.weight(bias)] : [])], { transB: 1 });

/** The one place that decides how a graph's linear maps are computed. */
export const linearIn = (precision: Precision): EmitLinear =>
  precision === "int8" ? int8Linear() : exactLinear;

/**
 * Weights are rounded to seven bits: without VNNI, x86 adds pairs of products in 16 bits, where two of
 * 255·127 overflow, and outputs are wrong by up to a fifth of the largest one.
 */
const WEIGHT_LEVELS = 63;
const ACTIVATION_LEVELS = 127;

/**
 * In eight-bit integers: a scale per output channel for the weights, quantised by ONNX Runtime as it folds
 * constants at load, and a scale per row for the activations. So a row's numbers depend on no other row:
 * an image gives the same bits in any batch, which one scale for the whole tensor (`DynamicQuantizeLinear`)
 * does not, and at up to half its error.
 */
function int8Linear(): EmitLinear {
  // Query, key and value read the same rows, which are quantised once.
  const quantised = new Map<Value, { rows: Value; scale: Value }>();
  return (g, x, { weight, bias }) => {
    const known = quantised.get(x) ?? quantiseRows(g, x);
    quantised.set(x, known);
    const stored = g.weight(weight);
    const scale = scaleOf(g, stored, WEIGHT_LEVELS);
    const channelScale = g.op("Reshape", [scale, g.ints([-1])]);
    const zeros = g.op("Cast", [g.op("Mul", [channelScale, g.scalar(0)])], { to: INT8 });
    const levels = g.op("QuantizeLinear", [stored, channelScale, zeros], { axis: 0 });
    const columns = g.op("Transpose", [levels], { perm: [1, 0] });
    const inputs = [known.rows, columns, g.scalar(1), channelScale, g.byte(128)];
    const product = g.op("Mul", [g.op("MatMulIntegerToFloat", inputs), known.scale]);
    return bias ? g.op("Add", [product, g.weight(bias)]) : product;
  };
}

/** ONNX's element type of a signed byte. */
const INT8 = 3;

/** x of [rows, in] as unsigned bytes around 128, with each row's scale [rows, 1]. */
function quantiseRows(g: Graph, x: Value): { rows: Value; scale: Value } {
  const scale = scaleOf(g, x, ACTIVATION_LEVELS);
  return { rows: g.op("QuantizeLinear", [g.op("Div", [x, scale]), g.scalar(1), g.byte(128)]), scale };
}

/**
 * max |row| / levels, [rows, 1]; never zero, so that a row of zeros stays one. Of the two ends of the row rather than
 * of |x|, which would be a copy of every weight while it is folded.
 */
function scaleOf(g: Graph, x: Value, levels: number): Value {
  const [highest, lowest] = (["ReduceMax", "ReduceMin"] as const).map((reduce) =>
    g.op(reduce, [x], { axes: [1], keepdims: 1 }),
  );
  const largest = g.op("Max", [highest, g.op("Neg", [lowest])]);
  return g.op("Max", [g.op("Div", [largest, g.scalar(levels)]), g.scalar(1e-30)]);
}
