import { callWorker } from "../tab/worker-port.ts";
import type { Looked, LookQuestion, ModelPlace, ViewCalls } from "./worker.ts";
import ViewWorker from "./worker.ts?worker&inline";

/** What one page's views ask. */
export interface ViewThread {
  /** Says where a model is that questions call by this name; known once. */
  addModel(model: string, place: () => Promise<ModelPlace>): Promise<void>;
  /** Keeps a picture; gives what questions call it. */
  addPicture(picture: Uint8Array): Promise<string>;
  look(question: LookQuestion): Promise<Looked>;
}

function startThread(wasm: () => Promise<ArrayBuffer>): ViewThread {
  const worker = new ViewWorker();
  const models = new Map<string, Promise<void>>();
  const { call } = callWorker<ViewCalls>(worker, "Load the page again, or run the cell again.");
  // Whoever asks hears why there is no answer; the next view tries anew.
  const forget = () => {
    thread = undefined;
  };
  worker.addEventListener("error", forget);
  const started = wasm().then((bytes) => call("start", { wasm: bytes }, {}, [bytes]));
  started.catch(() => {
    forget();
    worker.terminate();
  });
  return {
    addModel(model, place) {
      const known =
        models.get(model) ??
        Promise.all([place(), started]).then(([found]) => call("addModel", { model, place: found }));
      models.set(model, known);
      known.catch(() => models.delete(model));
      return known;
    },
    addPicture: (picture) => started.then(() => call("addPicture", picture.slice())),
    look: (question) => started.then(() => call("look", question)),
  };
}

let thread: ViewThread | undefined;

/** The thread of this page, started by the first view. @param wasm where the runtime comes from */
export const threadOf = (wasm: () => Promise<ArrayBuffer>): ViewThread => {
  thread ??= startThread(wasm);
  return thread;
};
