import { MessageChannel, type MessagePort } from "node:worker_threads";
import { preprocess } from "../../image/preprocess.ts";
import { type ClipModel, type ModelOptions, tokenizeWith } from "../../model/clip-model.ts";
import { loadModelTokenizer } from "../../model/load-tokenizer.ts";
import { locateModel, type ModelLoader } from "../../model/registry.ts";
import { textTower } from "../../model/text-tower.ts";
import { createAlgebra } from "../../onnx/algebra.ts";
import { createMatMul } from "../../onnx/matmul.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import type { Caller } from "../../support/calls.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { callThread } from "../../support/node-port.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { once, sharedCache } from "../../support/shared.ts";
import { startThread } from "../../support/thread.ts";
import { LIMITS, type Limits } from "../limits.ts";
import type { EngineCalls, EngineSetup, Lane, ModelCall } from "./engine-thread.ts";
import { lastingThread } from "./lasting-thread.ts";

/** Models whose encoders run in a thread of their own, so that the calling thread goes on meanwhile. */
export interface Engine extends ModelLoader {
  /** A way to the same models for another thread, as {@link connectedModels} takes it, and when it will be none any more. */
  connect(lane: Lane): { readonly port: MessagePort; readonly ended: Promise<void> };
  /** Bytes of weights in memory, by model. */
  loadedBytes(): Promise<Readonly<Record<string, number>>>;
}

/** Starts the thread, and again should it die: models go on then. @param modelBytes of weights that models may hold in memory; default: half of the machine's */
export function startEngine(
  options: ModelOptions = {},
  { modelBytes }: Pick<Limits, "modelBytes"> = LIMITS,
): Engine {
  const setup: EngineSetup = { options, modelBytes };
  const thread = lastingThread<EngineCalls>(() => ({
    thread: startThread(import.meta.url, "engine-thread", setup),
  }));
  let isReleased = false;
  const caller: Pick<Caller<EngineCalls>, "call"> = {
    call: (...asked) =>
      isReleased
        ? Promise.reject(new ClipInterpretError("THREAD_ENDED", "the models were released"))
        : thread.call(...asked),
  };
  return {
    ...modelsThrough(caller),
    connect(lane) {
      const { port1, port2 } = new MessageChannel();
      // Where the thread has ended, whoever asks through the port hears it from its own calls.
      caller.call("connect", { port: port2, lane }, {}, [port2]).catch(() => port1.close());
      return { port: port1, ended: isReleased ? Promise.resolve() : thread.ended() };
    },
    loadedBytes: () => caller.call("loadedBytes", {}),
    async release() {
      isReleased = true;
      await thread.close();
    },
  };
}

/** The models of an engine, for another thread. */
export const connectedModels = (port: MessagePort): ModelLoader => ({
  ...modelsThrough(callThread<EngineCalls>(port)),
  release: async () => port.close(),
});

/** Models that a thread knows; one that is let go of works on for whoever has it. */
const MOST_MODELS = 16;

function modelsThrough(caller: Pick<Caller<EngineCalls>, "call">): Pick<ModelLoader, "load"> {
  const known = sharedCache<ClipModel>(MOST_MODELS);
  return {
    async load(nameOrFolder, otherwise = {}) {
      const located = await locateModel(nameOrFolder);
      return known.get(JSON.stringify([located.folder, otherwise]), async () =>
        modelOf({ located, otherwise }, caller),
      );
    },
  };
}

/** Texts in one call: jobs ask for thousands, and pages' texts go in between. */
const TEXTS_AT_ONCE = 16;

/** A model as any other, but that its encoders run elsewhere. */
async function modelOf(of: ModelCall, caller: Pick<Caller<EngineCalls>, "call">): Promise<ClipModel> {
  const { threads, ...rest } = await caller.call("load", of);
  const { checkpoint, config } = rest;
  const model: ClipModel = {
    ...rest,
    matmul: await createMatMul(openNodeSession, { threads }),
    openAlgebra: (options) => createAlgebra(openNodeSession, options),
    preprocess: (source, how) => preprocess(source, config.preprocess, how),
    weightsHash: once(() => caller.call("weightsHash", of)),
    tokenizer: once(() => loadModelTokenizer(checkpoint)),
    tokenizeTexts: (texts, work) => tokenizeWith(model, texts, work),
    async encodeTexts(texts, work) {
      return model.encodeTokens(await model.tokenizeTexts(texts, work), work);
    },
    async encodeTokens(texts, work: WorkOptions = {}) {
      textTower(checkpoint);
      const { report, signal } = work;
      const all = new Float32Array(texts.length * config.embedDim);
      report?.({ type: "start", task: "texts", unit: "text", total: texts.length });
      for (let start = 0; start < texts.length; start += TEXTS_AT_ONCE) {
        checkCancelled(signal);
        const some = texts.slice(start, start + TEXTS_AT_ONCE);
        all.set(await caller.call("encodeTokens", { ...of, texts: some }), start * config.embedDim);
        const done = start + some.length;
        report?.({ type: "advance", task: "texts", done, total: texts.length });
      }
      report?.({ type: "end", task: "texts", done: texts.length });
      return all;
    },
    decompose: (pixels, how = {}) => caller.call("decompose", { ...of, pixels, how }),
    readTokens: async (pixels, { features = [] } = {}) => {
      // They are functions, which no message between threads can carry.
      if (features.length > 0)
        throw new RangeError("features of tokens are computed in the model's own thread");
      return caller.call("readTokens", { ...of, pixels });
    },
    textGeometry: once(() => caller.call("textGeometry", of)),
    decomposeTokens: (texts, how = {}) => caller.call("decomposeTokens", { ...of, texts, how }),
    loadedBytes: () => 0,
    // Its thread decides what stays in memory.
    release: async () => {},
  };
  return model;
}
