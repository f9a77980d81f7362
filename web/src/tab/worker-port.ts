import { type Caller, createCaller, type Handlers, type Port } from "../../../src/support/calls.ts";
import { ApiError } from "../state/api.ts";

/** The way to a thread of the page. One in which something went wrong that nobody saw to is not relied on: it is ended. */
export const workerPort = (worker: Worker): Port => ({
  post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
  listen: (take) => worker.addEventListener("message", ({ data }) => take(data)),
  whenGone: (hear) =>
    worker.addEventListener("error", ({ message }) => {
      worker.terminate();
      hear(message || "it did not start");
    }),
  hold() {},
  // A page does not hear when a thread has ended.
  ended: async () => worker.terminate(),
});

/** Asks a thread of the page. @param hint what those can do who wait for it when it is gone */
export const callWorker = <H extends Handlers>(worker: Worker, hint = "Load the page again."): Caller<H> =>
  createCaller(workerPort(worker), (failure) => new ApiError({ hint, ...failure }));

/** What was asked, unless whoever asks leaves first: a thread that multiplies hears of that when it is done. */
export async function unlessLeft<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answer;
  let left = () => {};
  const leaving = new Promise<never>((_, reject) => {
    left = () => reject(signal.reason);
    signal.addEventListener("abort", left);
    if (signal.aborted) left();
  });
  try {
    return await Promise.race([leaving, answer]);
  } finally {
    signal.removeEventListener("abort", left);
  }
}
