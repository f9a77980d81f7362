/** Takes parts from queues, one at a time, and computes each in a process of its own. */
import { randomUUID } from "node:crypto";
import { type Job, Queue, Worker } from "bullmq";
import { unfinishedParts } from "../corpus/parts.ts";
import { pauseFor } from "../hub/retry.ts";
import { type ErrorCode, messageOf } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { VERSION } from "../support/version.ts";
import { type Child, type PartEnd, startChild } from "./child.ts";
import type { Logger } from "./log.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { forget } from "./plan.ts";
import type { Connection } from "./redis.ts";
import { jobSchema, type PartJob, QUEUES, type Run, refusalsOf, WANTED, wantedOf } from "./run.ts";

/** How a worker works. */
export interface WorkerOptions {
  /** Names it in logs and refusals. */
  readonly name: string;
  /** Seconds after which a worker that shows no life loses its part to another. */
  readonly lease: number;
  /** Seconds without work after which it ends; never by default. */
  readonly idle?: number | undefined;
  readonly threads: number;
  /** Takes runs of these alone; what is left out may be any. */
  readonly only: Readonly<Record<"model" | "precision" | "device", string | undefined>>;
  readonly log: Logger;
  readonly metrics: WorkerMetrics;
  readonly signal: AbortSignal;
}

/** What is asked of a worker that runs. */
export interface RunningWorker {
  /** Why it can take no work; undefined where it can. */
  readiness(): string | undefined;
  /** Parts in the queues by state. */
  queued(): Promise<Readonly<Record<"wait" | "active" | "failed", number>>>;
  /** Ends when it is stopped, or was idle for long enough. */
  readonly ended: Promise<void>;
}

/** Between two looks for work, in milliseconds. */
const LOOK = 250;
/** Milliseconds that Redis has to hear that a part ends, once the worker is to stop. */
const FAREWELL = 3_000;
/** Milliseconds until it looks again at what it does not fit: a drive may be back by then. */
const REFUSED_FOR = 60_000;
/** Processes that may die one after another without an image more being done: four tries of one, and the one that sets it aside, and one more. */
const DEATHS = 6;
/** Machines that may go while they have a part. */
const STALLS = 20;

/** Codes of errors that speak of this machine and not of the part: another worker may compute it. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set<ErrorCode>([
  ...(["WORKER_REFUSED", "INDEX_MISMATCH", "INDEX_INVALID", "INDEX_GONE", "SOURCE_GONE"] as const),
  ...(["MODEL_NOT_FOUND", "MODEL_UNSUPPORTED", "CONFIG_INVALID", "CHECKPOINT_INVALID"] as const),
  ...(["CHECKPOINT_MISMATCH", "DEVICE_UNAVAILABLE", "INPUT_NOT_FOUND", "INPUT_UNREADABLE"] as const),
  ...(["OUTPUT_UNWRITABLE", "DISK_FULL", "STORE_DENIED", "STORE_UNREACHABLE", "USAGE"] as const),
]);

/** A queue that has work, as this worker sees it. */
interface Known {
  readonly worker: Worker<PartJob>;
  readonly queue: Queue<PartJob>;
  refusedUntil: number;
  reason: string | undefined;
}

/** Starts to work. */
export function startWorker({ redis, isReady }: Connection, options: WorkerOptions): RunningWorker {
  const { name, lease, idle, only, log, metrics, signal } = options;
  const known = new Map<string, Known>();
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  /** What Redis is asked waits while it is away; a stop ends the wait. */
  const ask = <T>(asked: Promise<T>) => Promise.race([asked, stopped]);

  /** What Redis is told as a part ends; where it is away and this worker is to stop, it finds out by itself. */
  const tell = async <T>(told: Promise<T>, from: Promise<unknown> = stopped): Promise<void> => {
    const heard = new AbortController();
    const late = from.then(() => pauseFor(FAREWELL, heard.signal)).catch(() => {});
    // A pause that went on would keep the process.
    await Promise.race([told, late]).finally(() => heard.abort());
  };

  const open = async (queue: string): Promise<Known> => {
    const milliseconds = lease * 1000;
    const worker = new Worker<PartJob>(queue, undefined, {
      connection: redis,
      lockDuration: milliseconds,
      stalledInterval: milliseconds,
      maxStalledCount: STALLS,
      autorun: false,
    });
    worker.on("error", () => {});
    worker.on("stalled", (part) => log.warn({ queue, part }, "a worker went; its part is given to another"));
    const own = new Queue<PartJob>(queue, { connection: redis, skipMetasUpdate: true });
    own.on("error", () => {});
    const entry: Known = { worker, queue: own, refusedUntil: 0, reason: undefined };
    known.set(queue, entry);
    // A connection that breaks before it was made once never comes back: then all of it is made anew.
    await ask(worker.waitUntilReady());
    await worker.startStalledCheckTimer();
    return entry;
  };
  const shut = async (queue: string) => {
    const entry = known.get(queue);
    known.delete(queue);
    // Where Redis is away it need not be waited for.
    await tell(Promise.allSettled([entry?.worker.close(true), entry?.queue.close()]), Promise.resolve());
  };

  /** The next part of any queue that this worker fits. */
  const next = async (token: string) => {
    const names = await ask(redis.smembers(QUEUES));
    if (!names) return undefined;
    for (const gone of [...known.keys()].filter((queue) => !names.includes(queue))) {
      const { queue } = known.get(gone)!;
      await shut(gone);
      // A look for workers that went, between the end of the run and now, left these.
      await ask(redis.unlink(queue.toKey("meta"), queue.toKey("stalled-check")));
    }
    for (const queue of names.sort()) {
      const entry = known.get(queue) ?? (await open(queue));
      if (entry.reason !== undefined) {
        // Whoever plans anew takes refusals away, so that they are looked into at once.
        const stands = (await ask(redis.hexists(refusalsOf(queue), name))) !== 0;
        if (stands && performance.now() < entry.refusedUntil) continue;
        await ask(redis.hdel(refusalsOf(queue), name));
        entry.reason = undefined;
      }
      const job = await ask(entry.worker.getNextJob(token, { block: false }));
      if (job) return { job, entry };
    }
    return undefined;
  };

  /** Whether parts wait for an index that was removed: there is nothing to do in it, and nobody wants it. */
  const isLeftOver = async (queue: string, { store }: Run) =>
    (await unfinishedParts(store).catch(() => [])) === undefined &&
    (await ask(redis.exists(wantedOf(queue)))) === 0;

  const refuse = async (entry: Known, job: Job<PartJob>, token: string, code: string, message: string) => {
    if (await isLeftOver(entry.queue.name, job.data.run)) {
      log.warn(
        { store: job.data.run.store },
        "nothing of this index is left to do there, and nobody asked for it for a day: out of the queue",
      );
      return tell(forget(entry.queue, redis));
    }
    entry.refusedUntil = performance.now() + REFUSED_FOR;
    entry.reason = `${code}: ${message}`;
    await tell(redis.hset(refusalsOf(job.queueName), name, JSON.stringify({ code, message })));
    await tell(job.moveToWait(token));
  };

  /** Computes one part, and tells Redis how that ended if the part is still this worker's. */
  const work = async (job: Job<PartJob>, entry: Known, token: string) => {
    const { run, part } = jobSchema.parse(job.data);
    const ids = { queue: job.queueName, part: `${part.number}/${part.of}`, try: token.slice(0, 8) };
    const own = log.child(ids);
    const unfit = whyUnfit(run, only);
    if (unfit !== undefined) {
      own.warn({ code: "WORKER_REFUSED" }, unfit);
      metrics.parts.inc({ end: "refused" });
      return refuse(entry, job, token, "WORKER_REFUSED", unfit);
    }
    own.info({ store: run.store, model: run.model }, "part taken");
    const renewing = keepLock(job, token, lease, () =>
      own.warn("Redis did not hear of this worker for too long; another may take the part, and waits"),
    );
    const started = performance.now();
    metrics.busy.set(1);
    try {
      // From here on Redis hears how the part ended instead.
      const result = await untilDone({ run, part }, signal, own).finally(renewing.end);
      const seconds = (performance.now() - started) / 1000;
      metrics.seconds.inc(seconds);
      metrics.parts.inc({ end: result.end });
      if (result.end === "done") {
        const { images, rejected } = result;
        own.info({ images, rejected, seconds: Number(seconds.toFixed(1)) }, "part done");
        if (result.missing > 0) await tell(redis.set(wantedOf(job.queueName), "", "EX", WANTED));
        await tell(job.moveToCompleted({ images, rejected }, token, false));
        if (result.missing === 0 && (await unfinishedParts(run.store)) === undefined) {
          own.info({ store: run.store }, "index complete");
          await tell(forget(entry.queue, redis));
        }
      } else if (result.end === "stopped") {
        await tell(job.moveToWait(token));
        own.info("part given back");
      } else {
        const code = result.end === "failed" ? result.code : "INTERNAL";
        own.error({ code }, result.message);
        if (OF_THE_MACHINE.has(code)) await refuse(entry, job, token, code, result.message);
        else await tell(job.moveToFailed(new Error(`${code} on ${name}: ${result.message}`), token, false));
      }
    } finally {
      metrics.busy.set(0);
    }
  };

  /** The process that computes; it is kept while parts of one run follow each other, so that the model is loaded once. */
  let child: Child | undefined;
  const endChild = async () => {
    const ending = child;
    child = undefined;
    await ending?.end();
  };
  const childOf = async (run: Run): Promise<Child> => {
    if (child && (!child.isAlive() || JSON.stringify(child.run) !== JSON.stringify(run))) await endChild();
    child ??= startChild(run, options.threads);
    return child;
  };

  /** Computes a part, again where its process dies: the next one knows which images that one had in hand. */
  const untilDone = async ({ run, part }: PartJob, stop: AbortSignal, own: Logger): Promise<PartEnd> => {
    let best = 0;
    for (let deaths = 0; ; ) {
      let counted = 0;
      const count = (done: number) => {
        metrics.images.inc(Math.max(0, done - Math.max(counted, best)));
        counted = done;
      };
      // What the process says of the part before may arrive after its end.
      let begun = false;
      const report: Report = (event) => {
        if (event.type === "warning") own.warn({ code: event.code }, event.message);
        else if (event.type === "note") own.info(event.message);
        else if (event.type === "start" && event.task === "indexing") begun = true;
        else if (event.type === "advance" && event.task === "indexing" && begun) count(event.done);
      };
      const process = await childOf(run);
      const result = await process.compute(part, { report, signal: stop });
      if (result.end === "done") count(Math.max(counted, result.images + result.rejected));
      if (result.end !== "died") return result;
      metrics.deaths.inc();
      deaths = counted > best ? 1 : deaths + 1;
      best = Math.max(best, counted);
      own.warn({ deaths }, `the process ${result.message}`);
      if (deaths === DEATHS) return result;
    }
  };

  const loop = async () => {
    let idleSince = performance.now();
    while (!signal.aborted) {
      const token = randomUUID();
      try {
        const found = await next(token);
        if (found) {
          await work(found.job, found.entry, token);
          idleSince = performance.now();
          continue;
        }
        await endChild();
      } catch (error) {
        // The part was given to another, or Redis was emptied: then who waits for the index puts it in again.
        log.warn(`the queue: ${messageOf(error)}`);
        for (const queue of [...known.keys()]) if (/closed/.test(messageOf(error))) await shut(queue);
      }
      if (idle !== undefined && performance.now() - idleSince > idle * 1000) return;
      await pauseFor(LOOK, signal).catch(() => {});
    }
  };
  const end = async () => {
    await endChild();
    for (const queue of [...known.keys()]) await shut(queue);
  };
  return {
    ended: loop().finally(end),
    readiness: () => {
      if (!isReady()) return "Redis does not answer";
      const refused = [...known.values()].flatMap(({ reason }) => reason ?? []);
      return refused.length > 0 && refused.length === known.size ? refused[0] : undefined;
    },
    queued: async () => {
      const sums = { wait: 0, active: 0, failed: 0 };
      if (!isReady()) return sums;
      for (const { queue } of known.values()) {
        const counts = await queue.getJobCounts("wait", "active", "failed");
        for (const state of ["wait", "active", "failed"] as const) sums[state] += counts[state] ?? 0;
      }
      return sums;
    },
  };
}

/** Why a worker does not compute a run; undefined where it does. What only its files say comes out as it computes. */
function whyUnfit(run: Run, only: WorkerOptions["only"]): string | undefined {
  if (run.version !== VERSION)
    return `the run was planned by version ${run.version}, and this worker is ${VERSION}: numbers may differ`;
  for (const [what, wanted] of Object.entries(only)) {
    const is = run[what as keyof typeof only];
    if (wanted !== undefined && wanted !== is)
      return `the run is of ${what} ${is}, and this worker was started with --${what} ${wanted}`;
  }
  return undefined;
}

/**
 * Shows Redis that the part is in hand, and says once when Redis has given it away. It is computed all the same: another
 * worker's process waits for the part's own lock, and then finds nothing to do. Stopping would lose what was begun.
 */
function keepLock(job: Job<PartJob>, token: string, lease: number, lost: () => void) {
  let asking = false;
  const renew = async () => {
    if (asking) return;
    asking = true;
    // Redis that is away answers when it is back.
    const kept = await job.extendLock(token, lease * 1000).catch((error: unknown) => {
      return /closed/i.test(messageOf(error)) ? 1 : 0;
    });
    asking = false;
    if (kept !== 0 || ended) return;
    lost();
    clearInterval(timer);
  };
  let ended = false;
  const timer = setInterval(() => void renew(), (lease * 1000) / 3);
  return {
    end: () => {
      ended = true;
      clearInterval(timer);
    },
  };
}
