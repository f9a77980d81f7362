/** Work of a page that nobody waits for: one thing after another, step by step, told of while it goes on. */
import type { JobView } from "../results/app.ts";
import { problemOf } from "../server/problems.ts";
import { sha256Of } from "../support/hash.ts";

/** What is to be done: a folder looked at by a model. */
export interface Wanted {
  readonly folder: string;
  readonly model: string;
}

/** How far work is, as its steps say it. */
export type Steps = AsyncGenerator<Partial<JobView>, void, undefined>;

/** What work is done by. */
export interface JobsPlace {
  work(wanted: Wanted, signal: AbortSignal): Steps;
  /** Sees to what work leaves, however it ended. */
  ended(wanted: Wanted): Promise<void>;
  /** Hears of work whenever it is further. */
  tell(job: JobView): void;
  /** Milliseconds, from any start. */
  now(): number;
}

/** Work that waits, and what goes on. */
export interface TabJobs {
  /** Adds work, unless the same is there. @param title the folder's, for people */
  start(wanted: Wanted, title: string): JobView;
  find(wanted: Wanted): JobView | undefined;
  /** What goes on with a model. */
  running(model: string): JobView | undefined;
  /** Has it stopped at its next step. */
  stop(id: string): JobView | undefined;
  /** Stops all work on a folder now. */
  drop(folder: string): Promise<void>;
  /** Does a step. @returns false where there is no work */
  step(): Promise<boolean>;
}

interface Job {
  view: JobView;
  readonly wanted: Wanted;
  readonly controller: AbortController;
  steps?: Steps;
  told: number;
  /** When its task began, and with how much done. */
  mark?: { readonly at: number; readonly done: number };
}

/** Milliseconds between two words about work. */
const EVERY = 100;
/** Seconds of work before it is said how long it still takes. */
const LEARNING = 2;

export function createTabJobs({ work, ended, tell, now }: JobsPlace): TabJobs {
  const jobs: Job[] = [];
  const find = ({ folder, model }: Wanted) =>
    jobs.find(({ wanted }) => wanted.folder === folder && wanted.model === model);
  const change = (job: Job, view: Partial<JobView>) => {
    const time = now();
    const isOther = view.state !== undefined || view.task !== job.view.task;
    if (isOther || !job.mark) job.mark = { at: time, done: view.done ?? 0 };
    const next = { ...job.view, ...view };
    const seconds = (time - job.mark.at) / 1000;
    const pace = (next.done - job.mark.done) / seconds;
    const isKnown = next.total !== null && pace > 0 && seconds > LEARNING && next.state === "running";
    job.view = { ...next, secondsLeft: isKnown ? (next.total! - next.done) / pace : null };
    if (!isOther && time - job.told < EVERY) return;
    job.told = time;
    tell(job.view);
  };
  const end = async (job: Job, state: JobView["state"], error: JobView["error"] = null) => {
    jobs.splice(jobs.indexOf(job), 1);
    await ended(job.wanted);
    change(job, { state, error, ended: new Date().toISOString() });
  };
  return {
    find: (wanted) => find(wanted)?.view,
    running: (model) =>
      jobs.find(({ wanted, view }) => wanted.model === model && view.state === "running")?.view,
    start(wanted, title) {
      const known = find(wanted);
      if (known && !known.controller.signal.aborted) return known.view;
      const { folder, model } = wanted;
      const view: JobView = {
        ...{ id: `tab-${sha256Of(`${folder} ${model} ${now()}`).slice(0, 12)}`, kind: "prepare" as const },
        ...{ title: `Getting ${title} ready`, subject: folder, model, state: "queued" as const },
        ...{ task: null, unit: null, done: 0, total: null, secondsLeft: null, warnings: [], error: null },
        ...{ started: new Date().toISOString(), ended: null },
      };
      jobs.push({ view, wanted, controller: new AbortController(), told: 0 });
      tell(view);
      return view;
    },
    stop(id) {
      const job = jobs.find(({ view }) => view.id === id);
      job?.controller.abort();
      return job?.view;
    },
    async drop(folder) {
      for (const job of jobs.filter(({ wanted }) => wanted.folder === folder)) {
        job.controller.abort();
        await job.steps?.return();
        await end(job, "cancelled");
      }
    },
    async step() {
      const [job] = jobs;
      if (!job) return false;
      const { signal } = job.controller;
      try {
        if (!job.steps) change(job, { state: "running" });
        job.steps ??= work(job.wanted, signal);
        const { value, done } = await job.steps.next();
        if (done) await end(job, "done");
        else change(job, value);
      } catch (error) {
        if (jobs.includes(job))
          await (signal.aborted ? end(job, "cancelled") : end(job, "failed", problemOf(error)));
      }
      return true;
    },
  };
}
