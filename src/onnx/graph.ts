import type { Piece } from "../checkpoint/pieces.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import * as pb from "./protobuf.ts";
import { message, type PlaceWeight, whereItLies } from "./tensors.ts";

/** ONNX element types, by the names used here (TensorProto.DataType). */
const TYPES = { float32: 1, uint8: 2, int64: 7, float64: 11 } as const;

/** A value in the graph, named. */
export type Value = string & { readonly __value: unique symbol };
/** An input of an operator that is left out. */
export const NONE = "" as Value;
/** Fixed sizes, or names for sizes that may differ from run to run. */
export type Dims = readonly (number | string)[];
type Attribute = number | readonly number[] | { readonly float: number };

/** Standard operators, and ONNX Runtime's own (attention that returns z, exact GELU, QuickGELU, an integer product). */
export type Op =
  | (
      | "Add"
      | "Cast"
      | "Concat"
      | "Conv"
      | "Expand"
      | "Gather"
      | "Gemm"
      | "LayerNormalization"
      | "MatMul"
      | "Mul"
    )
  | ("ReduceSum" | "Reshape" | "Shape" | "Slice" | "Softmax" | "Sum" | "Transpose" | "TopK")
  | ("Div" | "Max" | "Neg" | "QuantizeLinear" | "ReduceMax" | "ReduceMin" | "ReduceSumSquare" | "Sub")
  | (
      | "ArgMax"
      | "CumSum"
      | "Equal"
      | "Erf"
      | "Exp"
      | "ReduceL2"
      | "ReduceMean"
      | "Relu"
      | "Sigmoid"
      | "Sign"
      | "Sqrt"
      | "Tanh"
    )
  | ("AveragePool" | "BatchNormalization" | "SimplifiedLayerNormalization" | "Unsqueeze")
  | ("MultiHeadAttention" | "Gelu" | "FastGelu" | "QuickGelu" | "MatMulIntegerToFloat");
const MICROSOFT: ReadonlySet<Op> = new Set([
  "MultiHeadAttention",
  "Gelu",
  "FastGelu",
  "QuickGelu",
  "MatMulIntegerToFloat",
]);
const OPSET = 17;

/** An ONNX model being written: call its methods in order of computation, then `finish`. */
export interface Graph {
  input(name: string, type: keyof typeof TYPES, dims: Dims): Value;
  /**
   * Names a result; float32 unless the caller says otherwise.
   * @param dims for those who read the file; ONNX Runtime infers them
   */
  output(
    name: string,
    value: Value,
    how?: { readonly type?: "float32" | "float64"; readonly dims?: Dims },
  ): void;
  /** Applies an operator with one output. */
  op(type: Op, inputs: readonly Value[], attributes?: Record<string, Attribute>): Value;
  /** The same for an operator with several outputs, of which the first `count` are wanted. */
  ops(type: Op, inputs: readonly Value[], attributes: Record<string, Attribute>, count: number): Value[];
  /** Small integer constants: shapes, axes, indices. */
  ints(values: readonly number[]): Value;
  scalar(value: number): Value;
  /** A constant unsigned byte: a zero point. */
  byte(value: number): Value;
  /** A constant float32 array in C order. */
  floats(values: Float32Array, dims: readonly number[]): Value;
  /** A checkpoint's tensor as float32. */
  weight(tensor: TensorRef): Value;
  /** A checkpoint's tensor in the type it is stored in. */
  stored(tensor: TensorRef): Value;
  toFloat32(value: Value): Value;
  /** The model's bytes, where weights stay in the checkpoint. */
  finish(): Uint8Array;
  /** The model's bytes in pieces, with what it says of itself, wherever its weights are. */
  pieces(metadata?: Readonly<Record<string, string>>): Piece[];
}

/**
 * Starts an empty graph. By default weights become external data that names the checkpoint's own file, so that
 * writing a graph copies no weight and writes no file (the graph of a ViT is some 40 kB).
 */
export function createGraph(name: string, placeWeight: PlaceWeight = whereItLies): Graph {
  const nodes: pb.Field[] = [];
  const initializers: Piece[] = [];
  let microsoft = false;
  const inputs: pb.Field[] = [];
  const outputs: pb.Field[] = [];
  const constants = new Map<string, Value>();
  let counter = 0;
  const fresh = () => `v${counter++}` as Value;
  const add = (make: (value: Value) => readonly Piece[]): Value => {
    const value = fresh();
    initializers.push(...message(5, make(value)));
    return value;
  };
  const constant = (key: string, make: (value: Value) => readonly Piece[]): Value => {
    const value = constants.get(key) ?? add(make);
    constants.set(key, value);
    return value;
  };
  const graph: Graph = {
    input(inputName, type, dims) {
      inputs.push(pb.bytes(11, valueInfo(inputName, TYPES[type], dims)));
      return inputName as Value;
    },
    output(outputName, value, { type = "float32", dims } = {}) {
      nodes.push(pb.bytes(1, nodeProto("Identity", [value], [outputName as Value], {})));
      outputs.push(pb.bytes(12, valueInfo(outputName, TYPES[type], dims)));
    },
    op: (type, opInputs, attributes = {}) => graph.ops(type, opInputs, attributes, 1)[0],
    ops(type, opInputs, attributes, count) {
      microsoft ||= MICROSOFT.has(type);
      const values = Array.from({ length: count }, fresh);
      nodes.push(pb.bytes(1, nodeProto(type, opInputs, values, attributes)));
      return values;
    },
    ints: (values) =>
      constant(`ints ${values.join()}`, (value) => [
        pb.int(1, values.length),
        pb.int(2, TYPES.int64),
        ...values.map((item) => pb.int(7, item)),
        pb.bytes(8, value),
      ]),
    scalar: (number) =>
      constant(`scalar ${number}`, (value) => [
        pb.int(2, TYPES.float32),
        pb.float(4, number),
        pb.bytes(8, value),
      ]),
    byte: (number) =>
      constant(`byte ${number}`, (value) => [pb.int(2, TYPES.uint8), pb.int(5, number), pb.bytes(8, value)]),
    floats: (values, dims) =>
      add((value) => [
        ...dims.map((size) => pb.int(1, size)),
        pb.int(2, TYPES.float32),
        pb.bytes(8, value),
        pb.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
      ]),
    stored: (tensor) =>
      constant(`weight ${tensor.file} ${tensor.offset} ${tensor.shape.join()}`, (value) =>
        placeWeight(tensor, value),
      ),
    weight(tensor) {
      const stored = graph.stored(tensor);
      return tensor.dtype === "F32" ? stored : graph.toFloat32(stored);
    },
    toFloat32: (value) => graph.op("Cast", [value], { to: TYPES.float32 }),
    finish: () => pb.concat(graph.pieces().map(written)),
    pieces: (metadata = {}) => [
      pb.int(1, 8),
      pb.bytes(2, "clip-interpret"),
      pb.bytes(8, [pb.bytes(1, ""), pb.int(2, OPSET)]),
      ...(microsoft ? [pb.bytes(8, [pb.bytes(1, "com.microsoft"), pb.int(2, 1)])] : []),
      ...message(7, [...nodes, pb.bytes(2, name), ...initializers, ...inputs, ...outputs]),
      ...Object.entries(metadata).map(([key, value]) => pb.bytes(14, [pb.bytes(1, key), pb.bytes(2, value)])),
    ],
  };
  return graph;
}

function written(piece: Piece): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new RangeError("weights inside the model are written piece by piece");
}

function nodeProto(
  type: Op | "Identity",
  inputs: readonly Value[],
  outputs: readonly [] | readonly Value[],
  attributes: Record<string, Attribute>,
) {
  return [
    ...inputs.map((input) => pb.bytes(1, input)),
    ...outputs.map((output) => pb.bytes(2, output)),
    pb.bytes(3, outputs[0] ?? type),
    pb.bytes(4, type),
    ...Object.entries(attributes).map(([key, value]) => pb.bytes(5, attributeProto(key, value))),
    ...(MICROSOFT.has(type as Op) ? [pb.bytes(7, "com.microsoft")] : []),
  ];
}

function attributeProto(key: string, value: Attribute): pb.Field[] {
  if (typeof value === "number") return [pb.bytes(1, key), pb.int(3, value), pb.int(20, 2)];
  if ("float" in value) return [pb.bytes(1, key), pb.float(2, value.float), pb.int(20, 1)];
  return [pb.bytes(1, key), ...value.map((item) => pb.int(8, item)), pb.int(20, 7)];
}

function valueInfo(name: string, type: number, dims?: Dims): pb.Field[] {
  const dim = (size: number | string) =>
    pb.bytes(1, [typeof size === "number" ? pb.int(1, size) : pb.bytes(2, size)]);
  const shape = dims ? [pb.bytes(2, dims.map(dim))] : [];
  return [pb.bytes(1, name), pb.bytes(2, [pb.bytes(1, [pb.int(1, type), ...shape])])];
}
