import type { Problem } from "../../../src/results/app.ts";
import type { Question } from "../../../src/tab/facts.ts";
import { ApiError, type Job } from "../state/api.ts";
import type { TabRequest, TabStart } from "./worker.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread that answers this tab. */
export interface Thread {
  ask(question: Question, signal?: AbortSignal): Promise<unknown>;
}

/** Starts it. @param hear of work that nobody waits for */
export function startThread(start: TabStart, hear: (job: Job) => void): Thread {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.postMessage(start);
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  worker.onmessage = ({
    data,
  }: MessageEvent<{ job: Job } | { id: number; value: unknown; problem?: Problem }>) => {
    if ("job" in data) return hear(data.job);
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
