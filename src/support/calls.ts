/** Calls from one thread to another: requests with progress and an end that may come early, over a message port. */
import type { MessagePort, Transferable, Worker } from "node:worker_threads";
import { ClipInterpretError, type ErrorCode, messageOf } from "./errors.ts";
import type { ProgressEvent, WorkOptions } from "./progress.ts";

/** What a thread can be asked, by name. Inputs and answers are plain data, as threads can exchange it. */
export type Handlers = Readonly<
  Record<string, (input: never, work: Required<WorkOptions>) => Promise<unknown>>
>;

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
    transfer?: readonly Transferable[],
  ): Promise<Awaited<ReturnType<H[K]>>>;
}

type Request =
  | { readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly id: number; readonly stop: true };
type Answer =
  | { readonly id: number; readonly event: ProgressEvent }
  | { readonly id: number; readonly value: unknown }
  // Classes of errors do not survive the way, so fields do.
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

/** Answers whose numbers are handed over instead of copied. */
const handedOver = new WeakSet<object>();

/** Marks an answer whose arrays nobody keeps: they are moved to the thread that asked. */
export function handOver<T extends object>(answer: T): T {
  handedOver.add(answer);
  return answer;
}

/**
 * Answers calls. Each starts at once, unless `inTurn` says when.
 * @param inTurn runs the work of a call, which it is told the name of, in its turn
 */
export function answerCalls(
  port: MessagePort,
  handlers: Handlers,
  inTurn: (work: () => Promise<void>, name: string) => void = (work) => void work(),
): void {
  const running = new Map<number, AbortController>();
  const answer = (message: Answer, transfer: readonly Transferable[] = []) =>
    port.postMessage(message, transfer);
  port.on("message", (request: Request) => {
    const { id } = request;
    if ("stop" in request) return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    inTurn(async () => {
      try {
        const handler = handlers[request.name] as Handlers[string];
        const work = {
          report: (event: ProgressEvent) => answer({ id, event }),
          signal: controller.signal,
        };
        if (controller.signal.aborted) throw new ClipInterpretError("CANCELLED", "stopped before it began");
        const value = await handler(request.input as never, work);
        const isMoved = typeof value === "object" && value !== null && handedOver.has(value);
        answer({ id, value }, isMoved ? buffersOf(value) : []);
      } catch (error) {
        const { code, hint } = error instanceof ClipInterpretError ? error : { code: "INTERNAL" as const };
        answer({ id, code, message: messageOf(error), ...(hint !== undefined && { hint }) });
      } finally {
        running.delete(id);
      }
    }, request.name);
  });
}

/** Asks whoever is at the other end. The port keeps the process alive only while an answer is awaited. */
export function createCaller<H extends Handlers>(port: MessagePort | Worker): Caller<H> {
  interface Waiting {
    readonly resolve: (value: never) => void;
    readonly reject: (error: unknown) => void;
    readonly work: WorkOptions;
    readonly stop: () => void;
  }
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone: ClipInterpretError | undefined;
  const settle = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    waiting.delete(id);
    one?.work.signal?.removeEventListener("abort", one.stop);
    if (waiting.size === 0) port.unref();
    return one;
  };
  const died = (cause: unknown) => {
    gone ??= new ClipInterpretError("THREAD_ENDED", `a thread ended while it worked: ${messageOf(cause)}`, {
      cause,
    });
    for (const id of [...waiting.keys()]) settle(id)?.reject(gone);
  };
  port.on("message", (answer: Answer) => {
    if ("event" in answer) return waiting.get(answer.id)?.work.report?.(answer.event);
    const one = settle(answer.id);
    if ("code" in answer) one?.reject(new ClipInterpretError(answer.code, answer.message, answer));
    else one?.resolve(answer.value as never);
  });
  (port as Worker).on("error", died);
  (port as Worker).on("exit", (code) => died(`exit code ${code}`));
  port.on("close", () => died("its port was closed"));
  port.unref();
  return {
    call: (name, input, work = {}, transfer = []) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone);
        if (work.signal?.aborted)
          return reject(new ClipInterpretError("CANCELLED", "stopped before it began"));
        const id = ++lastId;
        const stop = () => port.postMessage({ id, stop: true } satisfies Request);
        waiting.set(id, { resolve, reject, work, stop });
        work.signal?.addEventListener("abort", stop, { once: true });
        port.ref();
        port.postMessage({ id, name, input } satisfies Request, transfer);
      }),
  };
}

/** Every buffer within plain data, once; shared ones need not be moved. */
function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (value instanceof Map) for (const one of value.values()) buffersOf(one, found);
  else if (typeof value === "object" && value !== null)
    for (const one of Object.values(value)) buffersOf(one, found);
  return [...found];
}
