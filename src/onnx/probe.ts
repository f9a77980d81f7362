import type { InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { messageOf } from "../support/errors.ts";
import { createGraph } from "./graph.ts";

/** An ONNX Runtime, Node's or the web's. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/**
 * Has a device compute a graph of one product that may run nowhere else, so that one that is missing is no silent return to the CPU.
 * @param isKept whether the graph stays: ONNX Runtime destroys a device on WebGPU with its last session
 * @returns why it cannot be used; undefined where it computes
 */
export async function whyUnusable(
  { InferenceSession, Tensor }: OnnxRuntime,
  device: string,
  isKept = false,
): Promise<string | undefined> {
  const g = createGraph("probe");
  g.output("doubled", g.op("Mul", [g.input("x", "float32", [4]), g.scalar(2)]));
  try {
    const session = await InferenceSession.create(g.finish(), {
      executionProviders: [device],
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
    const results = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2, 3, 4), [4]) });
    const doubled = results.doubled.data as ArrayLike<unknown>;
    if (!isKept) await session.release();
    return Array.from(doubled).join() === "2,4,6,8" ? undefined : "computes wrong numbers";
  } catch (cause) {
    return `does not start: ${messageOf(cause).trim()}`;
  }
}

/**
 * A device as sessions are asked for it. ONNX Runtime 1.30 would have convolutions on WebGPU with channels last, which gave MobileCLIP's
 * first tokens wrong altogether.
 */
export const providerOf = (device: string) =>
  device === "webgpu" ? ({ name: "webgpu", preferredLayout: "NCHW" } as const) : device;
