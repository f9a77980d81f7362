import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { providerOf } from "./probe.ts";
import { InferenceSession, Tensor } from "./runtime.ts";
import { type OpenSession, type Session, type SessionOptions, sessionOver } from "./session.ts";

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
      executionProviders: [providerOf(device)],
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
  return sessionOver(session, Tensor);
}

/** {@link createSession} for whatever computes with models. */
export const openNodeSession: OpenSession = (graph, [weight], options) =>
  createSession(graph, weight?.file, options);
