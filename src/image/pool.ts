import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { checkCancelled, type Report } from "../support/progress.ts";
import { startThread } from "../support/thread.ts";
import { sharedBudget } from "./budget.ts";
import type { DecodeOptions } from "./decode-options.ts";
import type { Preprocessed } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";
import type { WorkerAnswer, WorkerRequest, WorkerSetup } from "./worker.ts";

/** Threads that preprocess images while the main thread is busy, as it is inside ONNX Runtime's `run`. */
export interface PreprocessPool {
  /**
   * As {@link preprocess}, in a thread. Images are dealt out at once, so that threads go on while the main
   * thread is blocked. Bytes are copied, results are moved. Rejects with the same errors, and with `CANCELLED`
   * when the pool is closed first.
   */
  run(source: string | Uint8Array): Promise<Preprocessed>;
  /** Drops what has not been answered and gives the threads away, each after the image it is at. */
  close(): Promise<void>;
}

export interface PoolOptions extends DecodeOptions {
  /** Most threads at a time; they start when needed. Default: all processors but one, at most 4. */
  readonly threads?: number;
  /** Closes the pool when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Threads of the caller's for many images. */
export interface KeptPool {
  /** Threads that are there already, and stay: what else is said of threads and decoding is said to them. */
  readonly kept?: PreprocessPool | undefined;
}

/** An image whose bytes are read when its turn comes: those of many do not fit into memory. */
export type ReadLater = () => Promise<Uint8Array>;

/** What became of one image of many: a bad one is an error in its place and stops nothing. */
export type PreprocessOutcome<Source> =
  | { readonly source: Source; readonly image: Preprocessed }
  | { readonly source: Source; readonly error: ClipInterpretError };

interface Waiting {
  readonly resolve: (image: Preprocessed) => void;
  readonly reject: (error: ClipInterpretError) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  /** The pool that it works for; none while it is spare. */
  owner?: { readonly threads: Set<Thread>; readonly report: Report | undefined } | undefined;
  /** Called when it has dropped what it had, or died. */
  freed?: () => void;
}

/**
 * Threads without work, which keep no process alive. Starting one takes a quarter of a second of processor time, most of it
 * for loading sharp; an index's shards each have a pool of their own.
 */
const spare = new Map<Thread, NodeJS.Timeout>();
/** Milliseconds that a spare thread waits for work before it ends. */
const PATIENCE = 10_000;

/** The end of a thread is a fault of the program or its memory, not of the images that waited for it. */
class ThreadDeath extends ClipInterpretError {
  constructor(cause: unknown) {
    super("INTERNAL", `a preprocessing thread died: ${messageOf(cause)}`, { cause });
  }
}

/** Makes a pool for one model's preprocessing. It keeps the process alive only while images are under way. */
export function createPreprocessPool(config: PreprocessConfig, options: PoolOptions = {}): PreprocessPool {
  const {
    threads: most = Math.min(Math.max(availableParallelism() - 1, 1), 4),
    signal,
    report,
    ...decoding
  } = options;
  const threads = new Set<Thread>();
  const owner = { threads, report };
  let lastId = 0;
  let closed: Promise<void> | undefined;

  const take = (): Thread => {
    const thread = takeSpare() ?? startWorker();
    thread.owner = owner;
    thread.worker.postMessage({ config, options: decoding } satisfies WorkerRequest);
    threads.add(thread);
    return thread;
  };

  const run = (source: string | Uint8Array) =>
    new Promise<Preprocessed>((resolve, reject) => {
      if (closed) return reject(closedError());
      let thread = [...threads].reduce<Thread | undefined>(
        (least, other) => (least && least.waiting.size <= other.waiting.size ? least : other),
        undefined,
      );
      if (!thread || (thread.waiting.size > 0 && threads.size < most)) thread = take();
      const id = ++lastId;
      thread.waiting.set(id, { resolve, reject });
      thread.worker.ref();
      const copy = typeof source === "string" ? source : new Uint8Array(source);
      const request: WorkerRequest = { id, source: copy };
      thread.worker.postMessage(request, typeof copy === "string" ? [] : [copy.buffer]);
    });

  const close = (): Promise<void> => {
    closed ??= Promise.all([...threads].map(freeThread)).then(() =>
      signal?.removeEventListener("abort", close),
    );
    return closed;
  };
  signal?.addEventListener("abort", close);
  if (signal?.aborted) void close();
  return { run, close };
}

function startWorker(): Thread {
  const setup: WorkerSetup = { budget: sharedBudget() };
  const worker = startThread(import.meta.url, "worker", setup);
  const thread: Thread = { worker, waiting: new Map() };
  const died = (cause: unknown) => {
    clearTimeout(spare.get(thread));
    spare.delete(thread);
    thread.owner?.threads.delete(thread);
    for (const { reject } of thread.waiting.values()) reject(new ThreadDeath(cause));
    thread.waiting.clear();
    thread.freed?.();
  };
  worker.on("message", (answer: WorkerAnswer) => {
    if (answer === "dropped") return thread.freed?.();
    if ("warning" in answer) return thread.owner?.report?.(answer.warning);
    const waiting = thread.waiting.get(answer.id);
    // Nobody waits for an image of a pool that was closed.
    if (!waiting) return;
    thread.waiting.delete(answer.id);
    if (thread.waiting.size === 0) worker.unref();
    if ("image" in answer) waiting.resolve(answer.image);
    else waiting.reject(new ClipInterpretError(answer.code, answer.message, answer));
  });
  worker.on("error", died);
  worker.on("exit", (code) => died(`exit code ${code}`));
  return thread;
}

function takeSpare(): Thread | undefined {
  for (const [thread, timer] of spare) {
    clearTimeout(timer);
    spare.delete(thread);
    return thread;
  }
  return undefined;
}

/** Takes a thread from its pool once it is at no image, and keeps it for another. */
async function freeThread(thread: Thread): Promise<void> {
  const { worker, waiting } = thread;
  for (const { reject } of waiting.values()) reject(closedError());
  waiting.clear();
  const freed = new Promise<void>((resolve) => {
    thread.freed = resolve;
  });
  worker.ref();
  worker.postMessage("drop" satisfies WorkerRequest);
  await freed;
  worker.unref();
  // One that died meanwhile is of no pool.
  if (!thread.owner?.threads.delete(thread)) return;
  thread.owner = undefined;
  const end = () => {
    spare.delete(thread);
    worker.postMessage("end" satisfies WorkerRequest);
  };
  if (spare.size < availableParallelism()) spare.set(thread, setTimeout(end, PATIENCE).unref());
  else end();
}

/** Whatever reading threw, so that one image stops nothing. */
const codedError = (error: unknown): ClipInterpretError =>
  error instanceof ClipInterpretError
    ? error
    : new ClipInterpretError("INPUT_UNREADABLE", messageOf(error), { cause: error });

function closedError(): ClipInterpretError {
  return new ClipInterpretError("CANCELLED", "the pool was closed before the image was preprocessed");
}

/**
 * Preprocesses many images in threads and gives what became of each in the order of `sources`, which may be
 * endless. `ahead` images (default 64) are under way or done before they are asked for: take at least two or
 * three batches, since answers reach the main thread only between its blocking calls.
 * @throws `CANCELLED` when `signal` fires, `INTERNAL` when a thread dies; other errors belong to their image
 */
export async function* preprocessAll<Source extends string | Uint8Array | ReadLater>(
  sources: Iterable<Source> | AsyncIterable<Source>,
  config: PreprocessConfig,
  { ahead = 64, kept, ...options }: PoolOptions & KeptPool & { readonly ahead?: number } = {},
): AsyncGenerator<PreprocessOutcome<Source>, void, undefined> {
  const { signal } = options;
  checkCancelled(signal);
  const pool = kept ?? createPreprocessPool(config, options);
  const queue: Promise<PreprocessOutcome<Source>>[] = [];
  const next = async () => {
    const outcome = await queue.shift()!;
    checkCancelled(signal);
    if ("error" in outcome && outcome.error instanceof ThreadDeath) throw outcome.error;
    return outcome;
  };
  try {
    for await (const source of sources) {
      checkCancelled(signal);
      queue.push(
        (typeof source === "function" ? source().then(pool.run) : pool.run(source)).then(
          (image) => ({ source, image }),
          (error: unknown) => ({ source, error: codedError(error) }),
        ),
      );
      if (queue.length >= ahead) yield await next();
    }
    while (queue.length > 0) yield await next();
  } finally {
    if (!kept) await pool.close();
  }
}
