/*
 * Calls from one thread to another, in Node and in a browser: questions with progress and an end that may come early. What carries
 * them is a {@link Port}; what answers them is in `answer-calls.ts`, which a page that only asks has no need of.
 */
import type { ErrorCode } from "./errors.ts";
import type { ProgressEvent, WorkOptions } from "./progress.ts";

/** What a thread can be asked, by name. Inputs and answers are plain data, as threads can exchange it. */
export type Handlers = Readonly<
  Record<string, (input: never, work: Required<WorkOptions>) => Promise<unknown>>
>;

/** The way to another thread: one of Node's (`node-port.ts`), or a browser's (`web/src/tab/worker-port.ts`). */
export interface Port {
  /** @param transfer what of the message is moved */
  post(message: unknown, transfer?: readonly object[]): void;
  /** Hears all messages that come. */
  listen(take: (message: unknown) => void): void;
  /** Hears why the other end is gone, if that is ever known. */
  whenGone(hear: (cause: unknown) => void): void;
  /** Whether an answer is awaited: a process ends when none is. */
  hold(isAwaited: boolean): void;
  /** The end of a thread that was told to end. */
  ended(): Promise<void>;
}

/** Asks another thread. */
export interface Caller<H extends Handlers> {
  /**
   * @param work hears of progress; its signal stops what was asked, which then ends as it ends anywhere
   * @param transfer what of the input is moved
   * @throws what the handler throws, with its code; `THREAD_ENDED` when the thread is gone
   */
  call<K extends keyof H & string>(
    name: K,
    input: Parameters<H[K]>[0],
    work?: WorkOptions,
    transfer?: readonly object[],
  ): Promise<Awaited<ReturnType<H[K]>>>;
  /** Has the thread end, by its handler `close`, in its turn. To be called when nothing else is asked. */
  close(): Promise<void>;
}

export type Request =
  | { readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly id: number; readonly stop: true };
export type Answer =
  | { readonly id: number; readonly event: ProgressEvent }
  | { readonly id: number; readonly value: unknown }
  | ({ readonly id: number } & Failure);
/** Classes of errors do not survive the way, so fields do. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/**
 * Asks whoever is at the other end.
 * @param errorOf makes the error that a caller is given
 */
export function createCaller<H extends Handlers>(
  port: Port,
  errorOf: (failure: Failure, cause?: unknown) => Error,
): Caller<H> {
  interface Waiting {
    readonly resolve: (value: never) => void;
    readonly reject: (error: unknown) => void;
    readonly work: WorkOptions;
    readonly stop: () => void;
  }
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone: Error | undefined;
  const settle = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    waiting.delete(id);
    one?.work.signal?.removeEventListener("abort", one.stop);
    if (waiting.size === 0) port.hold(false);
    return one;
  };
  const leave = (message: string, cause?: unknown) => {
    gone ??= errorOf({ code: "THREAD_ENDED", message }, cause);
    for (const id of [...waiting.keys()]) settle(id)?.reject(gone);
  };
  port.listen((message) => {
    const answer = message as Answer;
    // A thread may say more than it is asked.
    if (!waiting.has(answer.id)) return;
    if ("event" in answer) return waiting.get(answer.id)?.work.report?.(answer.event);
    const one = settle(answer.id);
    if ("code" in answer) one?.reject(errorOf(answer));
    else one?.resolve(answer.value as never);
  });
  port.whenGone((cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    leave(`a thread ended while it worked: ${why}`, cause);
  });
  port.hold(false);
  const ask = (name: string, input: unknown, work: WorkOptions = {}, transfer: readonly object[] = []) =>
    new Promise<never>((resolve, reject) => {
      if (gone) return reject(gone);
      if (work.signal?.aborted)
        return reject(errorOf({ code: "CANCELLED", message: "stopped before it began" }));
      const id = ++lastId;
      // What cannot be sent throws here, and is waited for by nobody.
      port.post({ id, name, input } satisfies Request, transfer);
      const stop = () => port.post({ id, stop: true } satisfies Request);
      waiting.set(id, { resolve, reject, work, stop });
      work.signal?.addEventListener("abort", stop, { once: true });
      port.hold(true);
    });
  return {
    call: ask,
    async close() {
      await ask("close", {}).catch(() => {});
      await port.ended();
      leave("the thread was ended");
    },
  };
}
