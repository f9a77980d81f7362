import { askIn, type WithoutId } from "../tab/questions.ts";
import type { Looked, LookQuestion, ModelPlace, ViewRequest, ViewStart } from "./worker.ts";
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
  const asked = askIn<WithoutId<ViewRequest>>(worker, "The view's thread", {
    hint: "Load the page again, or run the cell again.",
    ended() {
      thread = undefined;
    },
  });
  const started = wasm().then((bytes) => worker.postMessage({ wasm: bytes } satisfies ViewStart, [bytes]));
  // Whoever asks hears why there is no answer; the next view tries anew.
  started.catch(() => {
    thread = undefined;
    worker.terminate();
  });
  const ask = async <T>(body: WithoutId<ViewRequest>): Promise<T> => {
    await started;
    return asked(body) as Promise<T>;
  };
  return {
    addModel(model, place) {
      const known = models.get(model) ?? place().then((found) => ask<void>({ model, place: found }));
      models.set(model, known);
      known.catch(() => models.delete(model));
      return known;
    },
    addPicture: (picture) => ask({ picture: picture.slice() }),
    look: (look) => ask({ look }),
  };
}

let thread: ViewThread | undefined;

/** The thread of this page, started by the first view. @param wasm where the runtime comes from */
export const threadOf = (wasm: () => Promise<ArrayBuffer>): ViewThread => {
  thread ??= startThread(wasm);
  return thread;
};
