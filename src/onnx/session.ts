import type { InferenceSession, TensorConstructor } from "onnxruntime-common";
import type { TensorRef } from "../checkpoint/safetensors.ts";

/** A float32 tensor in C order. */
export interface FloatTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A float64 tensor in C order. */
export interface DoubleTensor {
  readonly data: Float64Array;
  readonly dims: readonly number[];
}

/** Inputs by name: float32 or float64 with their shape, or int64. */
export type Feeds = Readonly<
  Record<
    string,
    FloatTensor | DoubleTensor | { readonly data: BigInt64Array; readonly dims: readonly number[] }
  >
>;

/** A loaded graph. `run` blocks the calling thread while it computes: neither onnxruntime-node nor WebAssembly has another way. */
export interface Session {
  run(feeds: Feeds): Promise<Record<string, FloatTensor>>;
  /** The same for a graph whose outputs are float64. */
  runDouble(feeds: Feeds): Promise<Record<string, DoubleTensor>>;
  /** Frees the session's memory; it must not be run again. */
  release(): Promise<void>;
}

/** How a session computes. */
export interface SessionOptions {
  /** Threads of one operator; 0 lets ONNX Runtime take every core. */
  readonly threads?: number;
  /** Where it computes, as ONNX Runtime names it: `cpu` (the default), `cuda`, `coreml`, `dml`, `webgpu`, `tensorrt`. */
  readonly device?: string;
  /** `none` for graphs that are run once, where optimising costs more than it saves. */
  readonly optimize?: "all" | "none";
}

/**
 * Loads a graph from memory, in ONNX Runtime for Node ({@link file://./node-session.ts}) or for the web
 * ({@link file://./web-session.ts}).
 *
 * @param weights what the graph names of a checkpoint, or more; all of it lies in one folder
 * @throws `CHECKPOINT_INVALID` when ONNX Runtime cannot load it
 */
export type OpenSession = (
  graph: Uint8Array,
  weights: readonly TensorRef[],
  options?: SessionOptions,
) => Promise<Session>;

/** A session of any ONNX Runtime. @param Tensor that runtime's own */
export function sessionOver(session: InferenceSession, Tensor: TensorConstructor): Session {
  /** The outputs' type is fixed by the graph, so it is the caller's to know. */
  const run = async <Data>(feeds: Feeds) => {
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [
      name,
      toTensor(Tensor, data, dims),
    ]);
    const results = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(
      Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Data, dims }]),
    );
  };
  return {
    run: (feeds) => run<Float32Array>(feeds),
    runDouble: (feeds) => run<Float64Array>(feeds),
    release: () => session.release(),
  };
}

function toTensor(
  Tensor: TensorConstructor,
  given: Float32Array | Float64Array | BigInt64Array,
  dims: readonly number[],
) {
  // ONNX Runtime takes no memory that threads share.
  const data = given.buffer instanceof ArrayBuffer ? given : given.slice();
  if (data instanceof BigInt64Array) return new Tensor("int64", data, dims);
  return data instanceof Float64Array ? new Tensor("float64", data, dims) : new Tensor("float32", data, dims);
}
