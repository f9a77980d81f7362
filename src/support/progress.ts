import { ClipInterpretError, type ErrorCode } from "./errors.ts";

/**
 * What long work reports, the same through library, CLI and server: one tagged union.
 * `done` and `total` count `unit`s; `total` is absent where it is not known beforehand. A `note` says in words what is
 * waited for.
 */
export type ProgressEvent =
  | { readonly type: "start"; readonly task: string; readonly unit: string; readonly total?: number }
  | { readonly type: "advance"; readonly task: string; readonly done: number; readonly total?: number }
  | { readonly type: "note"; readonly message: string }
  | { readonly type: "warning"; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "end"; readonly task: string; readonly done: number };

/** Receives progress events. Must not throw. */
export type Report = (event: ProgressEvent) => void;

/** Options that every long operation accepts. */
export interface WorkOptions {
  readonly report?: Report;
  readonly signal?: AbortSignal;
}

/** Throws `CANCELLED` when the signal has fired; called between units of work. */
export function checkCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ClipInterpretError("CANCELLED", "stopped before the work was done");
}

/** Between two pieces of long work what else the process does, such as answering requests, gets its turn. */
export const pause = (): Promise<void> =>
  new Promise((resolve) => {
    // Browsers have timers alone.
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
