import type { ProgressEvent, WorkOptions } from "../support/progress.ts";
import { cancelled } from "./retry.ts";

/** Runs work of which concurrent callers share one run. */
export type Share<T> = (
  key: string,
  work: (options: Required<WorkOptions>) => Promise<T>,
  caller: WorkOptions,
) => Promise<T>;

interface Running<T> {
  readonly result: Promise<T>;
  readonly callers: Set<WorkOptions>;
  readonly controller: AbortController;
  /** What a caller that joins late needs to show progress. */
  task: ProgressEvent | undefined;
}

/**
 * Makes a `Share`: callers with the same key get the same result and all hear its progress. One that stops leaves
 * the others' work alone; when the last one stops, the work does.
 */
export function createShare<T>(): Share<T> {
  const runs = new Map<string, Running<T>>();

  const start = (key: string, work: Parameters<Share<T>>[1]): Running<T> => {
    const controller = new AbortController();
    const callers = new Set<WorkOptions>();
    const report = (event: ProgressEvent) => {
      if (event.type === "start") run.task = event;
      for (const caller of callers) caller.report?.(event);
    };
    // Started in the next tick, when `run` exists and its first caller listens.
    const result = Promise.resolve().then(() => work({ report, signal: controller.signal }));
    const run: Running<T> = { result, callers, controller, task: undefined };
    runs.set(key, run);
    const forget = () => {
      if (runs.get(key) === run) runs.delete(key);
    };
    result.then(forget, forget);
    return run;
  };

  return async (key, work, caller) => {
    if (caller.signal?.aborted) throw cancelled(caller.signal.reason);
    const run = runs.get(key) ?? start(key, work);
    // A copy: the same options may come from two callers.
    const me = { ...caller };
    run.callers.add(me);
    if (run.task) me.report?.(run.task);
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        run.callers.delete(me);
        if (run.callers.size > 0) return reject(cancelled(caller.signal?.reason));
        // The last one waits for the work to put things in order; whoever asks from now on starts again.
        runs.delete(key);
        run.controller.abort(caller.signal?.reason);
      };
      caller.signal?.addEventListener("abort", leave, { once: true });
      run.result.then(resolve, reject).finally(() => caller.signal?.removeEventListener("abort", leave));
    });
  };
}
