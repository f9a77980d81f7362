import { ApiError, type Problem } from "../state/api.ts";

/** What a thread says to a question. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: Problem;
}

/** Questions to a thread that are not answered yet. */
export interface Questions {
  /** Sends one, under a number of its own. @param signal of whoever asks: what is not wanted any more is not waited for */
  ask(send: (id: number) => void, signal?: AbortSignal, unwanted?: (id: number) => void): Promise<unknown>;
  hear(reply: Reply): void;
  /** Tells all who wait that the thread is gone. */
  fail(error: ApiError): void;
}

/** Keeps who waits for what. */
export function createQuestions(): Questions {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let lastId = 0;
  return {
    ask: (send, signal, unwanted) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const id = ++lastId;
        const stop = () => {
          unwanted?.(id);
          waiting.delete(id);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", stop, { once: true });
        waiting.set(id, {
          resolve(value) {
            signal?.removeEventListener("abort", stop);
            resolve(value);
          },
          reject(error) {
            signal?.removeEventListener("abort", stop);
            reject(error);
          },
        });
        send(id);
      }),
    hear({ id, value, problem }) {
      const one = waiting.get(id);
      waiting.delete(id);
      if (problem) one?.reject(new ApiError(problem));
      else one?.resolve(value);
    },
    fail(error) {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

/** What those hear who waited for a thread. @param who it was: `The tab's thread` */
export const threadEnded = (who: string, why: string, hint = "Load the page again."): ApiError =>
  new ApiError({ code: "THREAD_ENDED", message: `${who} ended: ${why}`, hint });
