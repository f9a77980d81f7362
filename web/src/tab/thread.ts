import type { Question } from "../../../src/tab/facts.ts";
import { ApiError } from "../state/api.ts";
import type { TabControl, TabNews, TabReply, TabRequest, TabStart } from "./worker.ts";
import workerAddress from "./worker.ts?worker&url";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread that answers this tab. */
export interface Thread {
  ask(question: Question, signal?: AbortSignal): Promise<unknown>;
  /** What is answered at once, whatever is being worked on. */
  control(asked: TabControl): Promise<unknown>;
}

/**
 * Starts it.
 * @param hear of what it is at, whether somebody waits for it or not
 */
export function startThread(start: TabStart, hear: (news: TabNews) => void): Thread {
  // A thread takes its policy from what its script came with, and only one that the page made itself has the page's.
  const script = `import ${JSON.stringify(new URL(workerAddress, document.baseURI).href)};`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module" });
  worker.postMessage(start);
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  worker.onmessage = ({ data }: MessageEvent<TabReply>) => {
    if (!("id" in data)) return hear(data);
    const { id, value, problem } = data;
    const one = waiting.get(id);
    waiting.delete(id);
    if (problem) one?.reject(new ApiError(problem));
    else one?.resolve(value);
  };
  worker.onerror = ({ message }) => {
    const gone = new ApiError({
      ...{
        code: "THREAD_ENDED",
        message: `The tab's thread ended: ${message}`,
        hint: "Load the page again.",
      },
    });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  return {
    control: (control) =>
      new Promise<unknown>((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, control } satisfies TabRequest);
      }),
    ask: (question, signal) =>
      new Promise<unknown>((resolve, reject) => {
        const id = ++lastId;
        const stop = () => {
          worker.postMessage({ id, stop: true } satisfies TabRequest);
          waiting.delete(id);
          reject(signal?.reason);
        };
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener("abort", stop, { once: true });
        waiting.set(id, {
          resolve(value) {
            signal?.removeEventListener("abort", stop);
            resolve(value);
          },
          reject,
        });
        worker.postMessage({ id, question } satisfies TabRequest);
      }),
  };
}
