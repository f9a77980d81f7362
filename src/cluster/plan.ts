/** Plans an index into a queue and waits for it. Redis holds nothing that the index does not say too. */
import { Queue } from "bullmq";
import { requireIndex } from "../corpus/manifest-file.ts";
import { mergeParts, type Part, type PlannedPart, unfinishedParts } from "../corpus/parts.ts";
import { storeAt } from "../corpus/store-at.ts";
import { pauseFor } from "../hub/retry.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { Connection } from "./redis.ts";
import {
  ATTEMPTS,
  type PartJob,
  QUEUES,
  queueOf,
  type Run,
  refusalSchema,
  refusalsOf,
  WANTED,
  wantedOf,
} from "./run.ts";

/** A look at the queue each so many milliseconds, and one more for each part: what is read grows with them. */
const LOOK = 250;
/** After so many milliseconds in which no worker has a part, it is looked whether the index is there, and said what to do. */
const NOBODY = 10_000;

/** States of a job that will still be computed. */
const TO_DO = ["wait", "active", "delayed", "prioritized"] as const;

/**
 * Puts parts into the queue of an index and waits until workers have computed them and the index is whole. Whether it is, the
 * index says and not the queue: what Redis loses is put in again. Several may wait for the same index.
 * @throws `PARTS_FAILED`, `INDEX_GONE`, `CANCELLED`; the queue is left as it is, and the same call goes on
 */
export async function runParts(
  { redis, shown }: Connection,
  run: Run,
  planned: readonly PlannedPart[],
  options: WorkOptions = {},
): Promise<void> {
  const { report, signal } = options;
  const name = queueOf(run.store);
  const queue = new Queue<PartJob>(name, { connection: redis, skipMetasUpdate: true });
  // ioredis tells of what goes wrong; without a listener Node would end the process.
  queue.on("error", () => {});
  const sizes = new Map(planned.map(({ part, images }) => [part.number, images]));
  const total = planned.reduce((sum, { images }) => sum + images, 0);
  const task = "indexing by workers";
  const told = new Set<string>();
  const stop = stopped(signal);
  /** What Redis is asked waits while it is away, and Ctrl-C ends the wait. */
  const ask = <T>(asked: Promise<T>) => Promise.race([asked, stop.promise]);
  let nobodySince = Date.now();
  let said = false;
  try {
    report?.({ type: "start", task, unit: "image", total });
    for (let first = true; ; first = false) {
      if (first) await ask(forgetEarlier(queue, redis, run));
      const [counts, ids] = await ask(
        Promise.all([queue.getJobCounts(...TO_DO, "failed"), queue.getRanges([...TO_DO], 0, -1)]),
      );
      const open = TO_DO.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
      if (first || open === 0) {
        const missing = await unfinishedParts(run.store);
        if (missing === undefined) break;
        if (missing.length === 0) {
          await mergeParts(run.store, options);
          break;
        }
        const failed = await ask(queue.getFailed());
        const numbers = new Set(failed.map(({ data }) => data.part.number));
        const left = missing.filter(({ number }) => !numbers.has(number));
        if (left.length > 0) await ask(add(queue, run, left));
        else throw partsFailed(failed.map(({ data, failedReason }) => ({ part: data.part, failedReason })));
        await ask(redis.multi().sadd(QUEUES, name).set(wantedOf(name), "", "EX", WANTED).exec());
        continue;
      }
      const todo = new Set(ids.map(numberOf));
      const done = [...sizes].reduce((sum, [number, images]) => sum + (todo.has(number) ? 0 : images), 0);
      report?.({ type: "advance", task, done, total });
      const refusals = Object.entries(await ask(redis.hgetall(refusalsOf(name))));
      for (const [worker, text] of refusals) {
        if (told.has(worker + text)) continue;
        told.add(worker + text);
        const { code, message } = refusalSchema.parse(JSON.parse(text));
        report?.({ type: "warning", code: "WORKER_REFUSED", message: `${worker}: ${code}: ${message}` });
      }
      if (counts.active !== 0) [nobodySince, said] = [Date.now(), false];
      else if (Date.now() - nobodySince > NOBODY) {
        await ask(requireIndex(storeAt(run.store)));
        if (!said) report?.({ type: "note", message: nobody(run, shown, refusals.length) });
        [nobodySince, said] = [Date.now(), true];
      }
      await pauseFor(LOOK + planned.length, signal, () => cancelled());
    }
    report?.({ type: "end", task, done: total });
    await forget(queue, redis);
  } finally {
    stop.end();
    await queue.close().catch(() => {});
  }
}

/** Puts parts in; one that is there already is left as it is. */
const add = (queue: Queue<PartJob>, run: Run, parts: readonly Part[]) =>
  queue.addBulk(
    parts.map((part) => ({
      name: "part",
      data: { run, part },
      // Tried again at once: a pause would be by the clock of the machine where it failed.
      opts: { jobId: idOf(part), attempts: ATTEMPTS, removeOnComplete: true },
    })),
  );

/** Why nothing comes, as far as it is known here, and what to do. */
function nobody({ store }: Run, shown: string, refused: number): string {
  const start = `on any machine that reaches ${store}: clip-interpret worker --queue ${shown}`;
  if (refused === 0) return `no worker takes a part; start one ${start}`;
  const those = refused === 1 ? "the one that refused looks" : `the ${refused} that refused look`;
  return `no worker takes a part: ${those} again every minute, and at once where this command is stopped and run again. Or start another ${start}`;
}

const idOf = ({ number, of }: Part) => `part-${number}-of-${of}`;
const numberOf = (id: string) => Number(/^part-(\d+)/.exec(id)?.[1]);

/**
 * Parts that failed in an earlier run are tried anew, by workers that refused them too; those of another run, whose index lay here
 * before, are taken out.
 */
async function forgetEarlier(queue: Queue<PartJob>, redis: Connection["redis"], run: Run): Promise<void> {
  for (const job of await queue.getFailed()) await job.remove();
  // One that a worker takes meanwhile cannot be removed, and is refused by it.
  for (const job of await queue.getWaiting())
    if (JSON.stringify(job.data.run) !== JSON.stringify(run)) await job.remove().catch(() => {});
  await redis.del(refusalsOf(queue.name));
}

/**
 * Takes what is left of a run out of Redis. BullMQ's own way pauses the queue first, and would leave it paused where several
 * do it at once.
 */
export async function forget(queue: Queue<PartJob>, redis: Connection["redis"]): Promise<void> {
  await redis.multi().srem(QUEUES, queue.name).del(refusalsOf(queue.name), wantedOf(queue.name)).exec();
  for await (const keys of redis.scanStream({ match: `${queue.toKey("")}*`, count: 1000 }))
    if (keys.length > 0) await redis.unlink(...(keys as string[]));
}

function partsFailed(failed: readonly { readonly part: Part; readonly failedReason: string }[]) {
  const [{ part, failedReason }] = failed;
  const numbers = failed.slice(0, 10).map((one) => one.part.number);
  const named = `${numbers.join(", ")}${failed.length > 10 ? ", …" : ""}`;
  return new ClipInterpretError(
    "PARTS_FAILED",
    `${failed.length} of ${part.of} parts could not be computed (${named}); part ${part.number}: ${failedReason}`,
  );
}

const cancelled = (cause?: unknown) =>
  new ClipInterpretError("CANCELLED", "stopped waiting for the workers", {
    hint: "The queue is as it was, and workers go on; the same command waits for them again.",
    cause,
  });

/** A promise that fails when the signal fires. */
function stopped(signal: AbortSignal | undefined) {
  let end = () => {};
  const promise = new Promise<never>((_, reject) => {
    const fire = () => reject(cancelled());
    if (signal?.aborted) fire();
    signal?.addEventListener("abort", fire, { once: true });
    end = () => signal?.removeEventListener("abort", fire);
  });
  promise.catch(() => {});
  return { promise, end };
}
