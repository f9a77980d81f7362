import { basename } from "node:path";
import { DTYPE_BYTES, type TensorRef, type WeightDtype } from "../checkpoint/safetensors.ts";
import * as pb from "./protobuf.ts";

/** ONNX element types, by the names used here (TensorProto.DataType). */
const TYPES = { float32: 1, uint8: 2, int64: 7, float64: 11 } as const;
const WEIGHT_TYPES: Record<WeightDtype, number> = { F32: 1, F16: 10, BF16: 16 };

/** A value in the graph, named. */
export type Value = string & { readonly __value: unique symbol };
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
  | ("ReduceSum" | "Reshape" | "Shape" | "Slice" | "Softmax" | "Transpose" | "TopK")
  | ("Div" | "Max" | "Neg" | "QuantizeLinear" | "ReduceMax" | "ReduceMin" | "ReduceSumSquare" | "Sub")
  | ("MultiHeadAttention" | "Gelu" | "QuickGelu" | "MatMulIntegerToFloat");
const MICROSOFT: ReadonlySet<Op> = new Set([
  "MultiHeadAttention",
  "Gelu",
  "QuickGelu",
  "MatMulIntegerToFloat",
]);
const OPSET = 17;

/** An ONNX model being written: call its methods in order of computation, then `finish`. */
export interface Graph {
  input(name: string, type: keyof typeof TYPES, dims: Dims): Value;
  /** Names a result; float32 unless told otherwise. */
  output(name: string, value: Value, type?: "float32" | "float64"): void;
  /** Applies an operator with one output. */
  op(type: Op, inputs: readonly Value[], attributes?: Record<string, Attribute>): Value;
  /** Small integer constants: shapes, axes, indices. */
  ints(values: readonly number[]): Value;
  scalar(value: number): Value;
  /** A constant unsigned byte: a zero point. */
  byte(value: number): Value;
  /** A checkpoint's tensor as float32, read by ONNX Runtime from where it lies. */
  weight(tensor: TensorRef): Value;
  /** A checkpoint's tensor in the type it is stored in. */
  stored(tensor: TensorRef): Value;
  toFloat32(value: Value): Value;
  /** The model's bytes. */
  finish(): Uint8Array;
}

/**
 * Starts an empty graph. Weights become external data that names the checkpoint's own file, so that
 * writing a graph copies no weight and writes no file (the graph of a ViT is some 40 kB).
 */
export function createGraph(name: string): Graph {
  const nodes: pb.Field[] = [];
  const initializers: pb.Field[] = [];
  const inputs: pb.Field[] = [];
  const outputs: pb.Field[] = [];
  const constants = new Map<string, Value>();
  let counter = 0;
  const fresh = () => `v${counter++}` as Value;
  const constant = (key: string, make: (value: Value) => pb.Field): Value => {
    const known = constants.get(key);
    if (known) return known;
    const value = fresh();
    initializers.push(make(value));
    constants.set(key, value);
    return value;
  };
  const graph: Graph = {
    input(inputName, type, dims) {
      inputs.push(pb.bytes(11, valueInfo(inputName, TYPES[type], dims)));
      return inputName as Value;
    },
    output(outputName, value, type = "float32") {
      nodes.push(pb.bytes(1, nodeProto("Identity", [value], outputName as Value, {})));
      // The type is fixed; the shape is left for ONNX Runtime to infer.
      outputs.push(pb.bytes(12, valueInfo(outputName, TYPES[type])));
    },
    op(type, opInputs, attributes = {}) {
      const value = fresh();
      nodes.push(pb.bytes(1, nodeProto(type, opInputs, value, attributes)));
      return value;
    },
    ints: (values) =>
      constant(`ints ${values.join()}`, (value) =>
        pb.bytes(5, [
          pb.int(1, values.length),
          pb.int(2, TYPES.int64),
          ...values.map((item) => pb.int(7, item)),
          pb.bytes(8, value),
        ]),
      ),
    scalar: (number) =>
      constant(`scalar ${number}`, (value) =>
        pb.bytes(5, [pb.int(2, TYPES.float32), pb.float(4, number), pb.bytes(8, value)]),
      ),
    byte: (number) =>
      constant(`byte ${number}`, (value) =>
        pb.bytes(5, [pb.int(2, TYPES.uint8), pb.int(5, number), pb.bytes(8, value)]),
      ),
    stored: (tensor) =>
      constant(`weight ${tensor.file} ${tensor.offset} ${tensor.shape.join()}`, (value) =>
        pb.bytes(5, externalTensor(tensor, value)),
      ),
    weight(tensor) {
      const stored = graph.stored(tensor);
      return tensor.dtype === "F32" ? stored : graph.toFloat32(stored);
    },
    toFloat32: (value) => graph.op("Cast", [value], { to: TYPES.float32 }),
    finish: () =>
      pb.concat([
        pb.int(1, 8),
        pb.bytes(8, [pb.bytes(1, ""), pb.int(2, OPSET)]),
        pb.bytes(8, [pb.bytes(1, "com.microsoft"), pb.int(2, 1)]),
        pb.bytes(7, [...nodes, pb.bytes(2, name), ...initializers, ...inputs, ...outputs]),
      ]),
  };
  return graph;
}

function nodeProto(
  type: Op | "Identity",
  inputs: readonly Value[],
  output: Value,
  attributes: Record<string, Attribute>,
) {
  return [
    ...inputs.map((input) => pb.bytes(1, input)),
    pb.bytes(2, output),
    pb.bytes(3, output),
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

function externalTensor(tensor: TensorRef, value: Value): pb.Field[] {
  const length = tensor.shape.reduce((product, size) => product * size, DTYPE_BYTES[tensor.dtype]);
  const entry = (key: string, text: string) => pb.bytes(13, [pb.bytes(1, key), pb.bytes(2, text)]);
  return [
    ...tensor.shape.map((size) => pb.int(1, size)),
    pb.int(2, WEIGHT_TYPES[tensor.dtype]),
    pb.bytes(8, value),
    entry("location", basename(tensor.file)),
    entry("offset", String(tensor.offset)),
    entry("length", String(length)),
    pb.int(14, 1),
  ];
}
