import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { InferenceSession, Tensor } from "./runtime.ts";

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

/** A loaded graph. `run` blocks the calling thread while it computes: onnxruntime-node has no other way. */
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
 * Loads a graph from memory. Weights are mapped from `weightsFile` and its neighbours; ONNX Runtime packs a copy of the
 * matrices for its kernels. Without packing a load takes a quarter of the memory, but bits then depend on the batch.
 *
 * @param weightsFile any weights file the graph names (all lie in one folder), or undefined without weights
 * @param options `device` must have passed {@link requireDevice}
 * @throws `CHECKPOINT_INVALID` when ONNX Runtime cannot load it
 */
export async function createSession(
  graph: Uint8Array,
  weightsFile: string | undefined,
  { threads = 0, device = "cpu", optimize = "all" }: SessionOptions = {},
): Promise<Session> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(graph, {
      executionProviders: [device],
      // More threads than cores would spin on each other.
      intraOpNumThreads: Math.min(threads, availableParallelism()),
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: optimize === "all" ? "all" : "disabled",
      logSeverityLevel: 3,
      extra: {
        session: {
          // Threads that wait by spinning cost more than twice the processor's time, and finish no sooner.
          intra_op: { allow_spinning: "0" },
          ...(weightsFile && { model_external_initializers_file_folder_path: dirname(weightsFile) }),
        },
      },
    });
  } catch (cause) {
    throw new ClipInterpretError(
      "CHECKPOINT_INVALID",
      `ONNX Runtime cannot load the model: ${messageOf(cause)}`,
      { cause },
    );
  }
  /** The outputs' type is fixed by the graph, so it is the caller's to know. */
  const run = async <Data>(feeds: Feeds) => {
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [name, toTensor(data, dims)]);
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

function toTensor(given: Float32Array | Float64Array | BigInt64Array, dims: readonly number[]): Tensor {
  // ONNX Runtime takes no memory that threads share.
  const data = given.buffer instanceof ArrayBuffer ? given : given.slice();
  if (data instanceof BigInt64Array) return new Tensor("int64", data, dims);
  return data instanceof Float64Array ? new Tensor("float64", data, dims) : new Tensor("float32", data, dims);
}
