import type { InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { tensorBytes } from "../checkpoint/pieces.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { nameIn } from "../support/paths.ts";
import type { WebBytes } from "../support/web-bytes.ts";
import { type OpenSession, sessionOver } from "./session.ts";

/** `onnxruntime-web`, as its module exports it: it is given, so that its file is loaded by whoever knows where it lies. */
export interface WebRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/**
 * Sessions in ONNX Runtime for the web, as WebAssembly: of a checkpoint's files the tensors that are needed are fetched.
 * Threads are those that its own environment was given (`env.wasm.numThreads`).
 */
export const webSessions =
  (runtime: WebRuntime | Promise<WebRuntime>, bytes: WebBytes): OpenSession =>
  async (graph, weights, { optimize = "all" } = {}) => {
    const externalData = await Promise.all(
      [...new Set(weights.map(({ file }) => file))].map(async (file) => ({
        path: nameIn(file),
        data: await bytes.fill(file, weights.filter((tensor) => tensor.file === file).map(partOf)),
      })),
    );
    const { InferenceSession, Tensor } = await runtime;
    try {
      const session = await InferenceSession.create(graph, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: optimize === "all" ? "all" : "disabled",
        logSeverityLevel: 3,
        // Threads that wait by spinning take the processor from those that work.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
        externalData,
      });
      return sessionOver(session, Tensor);
    } catch (cause) {
      throw new ClipInterpretError(
        "CHECKPOINT_INVALID",
        `ONNX Runtime cannot load the model: ${messageOf(cause)}`,
        { cause },
      );
    }
  };

const partOf = (tensor: TensorRef) => [tensor.offset, tensor.offset + tensorBytes(tensor)] as const;
