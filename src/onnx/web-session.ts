import type { InferenceSession } from "onnxruntime-common";
import { tensorBytes } from "../checkpoint/pieces.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { nameIn } from "../support/paths.ts";
import type { WebBytes } from "../support/web-bytes.ts";
import { type OnnxRuntime, providerOf, whyUnusable } from "./probe.ts";
import { type OpenSession, type Session, sessionOver } from "./session.ts";

/** `onnxruntime-web`, as its module exports it: it is given, so that its file is loaded by whoever knows where it lies. */
export type WebRuntime = OnnxRuntime;

/** `onnxruntime-web/webgpu`, as its module exports it. */
export interface GpuRuntime extends WebRuntime {
  readonly env: { readonly webgpu: { readonly device: Promise<unknown> } };
}

/**
 * Sessions in ONNX Runtime for the web, as WebAssembly: of a checkpoint's files the tensors that are needed are fetched.
 * Threads are those that its own environment was given (`env.wasm.numThreads`).
 * @param gpu what sessions on the device `webgpu` are of
 */
export const webSessions =
  (
    runtime: WebRuntime | Promise<WebRuntime>,
    bytes: WebBytes,
    gpu?: GpuRuntime | Promise<GpuRuntime>,
  ): OpenSession =>
  async (graph, weights, { optimize = "all", device = "cpu" } = {}) => {
    const externalData = await Promise.all(
      [...new Set(weights.map(({ file }) => file))].map(async (file) => ({
        path: nameIn(file),
        data: await bytes.fill(file, weights.filter((tensor) => tensor.file === file).map(partOf)),
      })),
    );
    const onGpu = device === "cpu" ? undefined : await gpu;
    const { InferenceSession, Tensor } = onGpu ?? (await runtime);
    const create = () =>
      InferenceSession.create(graph, {
        executionProviders: [onGpu ? providerOf(device) : "wasm"],
        graphOptimizationLevel: optimize === "all" ? "all" : "disabled",
        logSeverityLevel: 3,
        // Threads that wait by spinning take the processor from those that work.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
        externalData,
      });
    try {
      return onGpu ? sessionOnGpu(onGpu, await inTurn(onGpu, create)) : sessionOver(await create(), Tensor);
    } catch (cause) {
      if (cause instanceof ClipInterpretError) throw cause;
      throw new ClipInterpretError(
        "CHECKPOINT_INVALID",
        `ONNX Runtime cannot load the model: ${messageOf(cause)}`,
        { cause },
      );
    }
  };

const partOf = (tensor: TensorRef) => [tensor.offset, tensor.offset + tensorBytes(tensor)] as const;

/** What a runtime on a GPU is at. */
interface Turns {
  last: Promise<unknown>;
  probed?: Promise<void>;
  lost?: ClipInterpretError;
  /** Ends what is waited for. */
  fail: (error: ClipInterpretError) => void;
}
const turns = new WeakMap<GpuRuntime, Turns>();

function turnsOf(gpu: GpuRuntime): Turns {
  const known = turns.get(gpu);
  if (known) return known;
  const first: Turns = { last: Promise.resolve(), fail: () => {} };
  turns.set(gpu, first);
  return first;
}

/**
 * Work on a GPU, one after another: while it is waited for, its runtime can begin nothing else.
 * @throws `DEVICE_UNAVAILABLE` for whatever fails there, and once the GPU is lost, after which nothing may ever be answered
 */
function inTurn<T>(gpu: GpuRuntime, work: () => Promise<T>): Promise<T> {
  const state = turnsOf(gpu);
  const turn = () =>
    new Promise<T>((resolve, reject) => {
      if (state.lost) return reject(state.lost);
      state.fail = reject;
      work().then(resolve, (cause: unknown) => reject(unavailable(`failed: ${messageOf(cause)}`, cause)));
    });
  const done = state.last.then(turn);
  state.last = done.catch(() => {});
  return done;
}

function sessionOnGpu(gpu: GpuRuntime, session: InferenceSession): Session {
  const { run, runDouble, release } = sessionOver(session, gpu.Tensor);
  return {
    run: (feeds) => inTurn(gpu, () => run(feeds)),
    runDouble: (feeds) => inTurn(gpu, () => runDouble(feeds)),
    release: () => inTurn(gpu, release),
  };
}

/** Makes sure that there is a GPU, and that it computes. @throws `DEVICE_UNAVAILABLE` */
export async function requireGpu(gpu: GpuRuntime): Promise<void> {
  const state = turnsOf(gpu);
  state.probed ??= inTurn(gpu, () => whyUnusable(gpu, "webgpu", true)).then((why) => {
    if (why !== undefined) throw unavailable(why);
    void lossOf(gpu).then((message) => {
      state.lost = unavailable(`was lost: ${message}`);
      state.fail(state.lost);
    });
  });
  await state.probed;
  if (state.lost) throw state.lost;
}

/** Comes when a GPU that computes is there no more: its driver failed, or the computer slept. @returns why, in the browser's words */
export async function lossOf(gpu: GpuRuntime): Promise<string> {
  const { lost } = (await gpu.env.webgpu.device) as { readonly lost: Promise<{ readonly message: string }> };
  return (await lost).message;
}

const unavailable = (why: string, cause?: unknown) =>
  new ClipInterpretError("DEVICE_UNAVAILABLE", `the GPU ${why}`, {
    hint: "Compute in WebAssembly: any browser has that.",
    cause,
  });
