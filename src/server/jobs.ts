import { randomBytes } from "node:crypto";
import type { JobView } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ProgressEvent, Report, WorkOptions } from "../support/progress.ts";
import type { Limits } from "./limits.ts";
import { problemOf, withoutFolders } from "./problems.ts";

/** What a job is about. Two requests for the same thing are one job. */
export interface JobSubject {
  readonly kind: JobView["kind"];
  readonly title: string;
  readonly subject: string;
  readonly model: string;
}

/** Long work that goes on without the page that asked for it. */
export interface Jobs {
  /**
   * Starts a job, or gives the one that is under way for the same subject.
   * @param client who asks
   * @throws `SERVER_BUSY` when too many wait or run
   */
  start(
    about: JobSubject,
    client: string,
    work: (options: Required<WorkOptions>) => Promise<unknown>,
  ): JobView;
  /** Newest first. */
  list(): JobView[];
  find(id: string): JobView | undefined;
  /** The job under way about a subject. */
  current(kind: JobView["kind"], subject: string, model: string): JobView | undefined;
  /** Stops a job; one that has ended stays as it is. */
  cancel(id: string): JobView | undefined;
  /** Stops every job about a subject, and waits until none of them runs. */
  stopAbout(subject: string): Promise<void>;
  /**
   * Calls `listener` with the id of every job that changes, at most ten times a second each.
   * @returns a function that stops it
   */
  listen(listener: (id: string) => void): () => void;
  /** How many wait or run. */
  underWay(): number;
  /** Asks everything to stop, and waits until it has: what a job has done is kept. */
  close(): Promise<void>;
}

interface Job {
  view: JobView;
  readonly client: string;
  readonly controller: AbortController;
  ended: Promise<void>;
  reported: number;
  /** When so much was done: what the time that is left is guessed from. */
  marks: readonly Mark[];
}

interface Mark {
  readonly time: number;
  readonly done: number;
}

const KEPT = 50;
const EVERY = 100;

/** The pace is that of the last half minute; of what was there already, and comes at once, nothing can be told. */
const PACE_SECONDS = 30;
const SOONEST_SECONDS = 2;

/** Makes a list of jobs. Those that compute wait for each other; downloads run beside them. */
export function createJobs({ jobs: most, jobsPerClient }: Pick<Limits, "jobs" | "jobsPerClient">): Jobs {
  const jobs = new Map<string, Job>();
  const listeners = new Set<(id: string) => void>();
  const lanes: Record<"compute" | "fetch", Promise<void>> = {
    compute: Promise.resolve(),
    fetch: Promise.resolve(),
  };

  const tell = (job: Job, always = true) => {
    const now = Date.now();
    if (!always && now - job.reported < EVERY) return;
    job.reported = now;
    for (const listener of listeners) listener(job.view.id);
  };
  const change = (job: Job, view: Partial<JobView>, always = true) => {
    job.view = { ...job.view, ...view };
    tell(job, always);
  };
  const reportOf =
    (job: Job): Report =>
    (event: ProgressEvent) => {
      switch (event.type) {
        case "start":
          job.marks = [];
          return change(job, {
            ...{ task: event.task, unit: event.unit, done: 0, total: event.total ?? null, secondsLeft: null },
          });
        case "advance": {
          const { done, total = job.view.total } = event;
          return change(job, { done, total, secondsLeft: secondsLeft(job, done, total) }, false);
        }
        case "note":
          return change(job, { task: withoutFolders(event.message) });
        case "warning": {
          const { message } = problemOf(new ClipInterpretError(event.code, event.message));
          return change(job, { warnings: [...job.view.warnings, message].slice(-5) });
        }
        case "end":
          return change(job, { done: event.done, secondsLeft: null });
      }
    };

  const runJob = async (job: Job, work: (options: Required<WorkOptions>) => Promise<unknown>) => {
    const { signal } = job.controller;
    const end = (state: JobView["state"], error: JobView["error"] = null) =>
      change(job, { state, error, secondsLeft: null, ended: new Date().toISOString() });
    if (signal.aborted) return end("cancelled");
    change(job, { state: "running" });
    try {
      await work({ report: reportOf(job), signal });
      end("done");
    } catch (error) {
      if (signal.aborted) end("cancelled");
      else end("failed", problemOf(error));
    }
  };

  const list: Jobs = {
    start(about, client, work) {
      const known = [...jobs.values()].find(({ view }) => isAbout(view, about) && isUnderWay(view));
      // One that was asked to stop is not joined: it ends, and the new one goes on from what it left.
      if (known && !known.controller.signal.aborted) return known.view;
      const underWay = [...jobs.values()].filter(({ view }) => isUnderWay(view));
      const own = underWay.filter((job) => job.client === client).length;
      if (underWay.length >= most || own >= jobsPerClient) {
        throw new ClipInterpretError("SERVER_BUSY", `${underWay.length} jobs wait or run already`, {
          hint: "Wait until some have ended, or stop some.",
        });
      }
      const view: JobView = {
        id: randomBytes(9).toString("base64url"),
        ...about,
        state: "queued",
        task: null,
        unit: null,
        done: 0,
        total: null,
        secondsLeft: null,
        warnings: [],
        error: null,
        started: new Date().toISOString(),
        ended: null,
      };
      const job: Job = {
        ...{ view, client, controller: new AbortController(), ended: Promise.resolve() },
        ...{ reported: 0, marks: [] },
      };
      jobs.set(view.id, job);
      forgetOld(jobs);
      const lane = about.kind === "pull" ? "fetch" : "compute";
      job.ended = lanes[lane].then(() => runJob(job, work));
      lanes[lane] = job.ended;
      tell(job);
      return view;
    },
    list: () => [...jobs.values()].map(({ view }) => view).reverse(),
    find: (id) => jobs.get(id)?.view,
    current: (kind, subject, model) =>
      [...jobs.values()].find(({ view }) => isAbout(view, { kind, subject, model }) && isUnderWay(view))
        ?.view,
    cancel(id) {
      const job = jobs.get(id);
      if (job && isUnderWay(job.view)) {
        job.controller.abort();
        if (job.view.state === "queued") change(job, { state: "cancelled", ended: new Date().toISOString() });
      }
      return job?.view;
    },
    async stopAbout(subject) {
      const about = [...jobs.values()].filter(({ view }) => view.subject === subject && isUnderWay(view));
      const running = about.filter(({ view }) => view.state === "running");
      for (const { view } of about) list.cancel(view.id);
      await Promise.allSettled(running.map(({ ended }) => ended));
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    underWay: () => [...jobs.values()].filter(({ view }) => isUnderWay(view)).length,
    async close() {
      for (const { controller } of jobs.values()) controller.abort();
      await Promise.allSettled([...jobs.values()].map(({ ended }) => ended));
    },
  };
  return list;
}

const isUnderWay = ({ state }: JobView) => state === "queued" || state === "running";

const isAbout = (view: JobView, about: Pick<JobSubject, "kind" | "subject" | "model">) =>
  view.kind === about.kind && view.subject === about.subject && view.model === about.model;

/** At the pace of the last half minute; null before that says anything. */
function secondsLeft(job: Job, done: number, total: number | null): number | null {
  const time = performance.now() / 1000;
  const recent = job.marks.filter((mark) => time - mark.time <= PACE_SECONDS);
  // A mark a second is enough.
  job.marks = recent.length > 0 && time - recent.at(-1)!.time < 1 ? recent : [...recent, { time, done }];
  const [first] = job.marks;
  const seconds = time - first.time;
  if (total === null || seconds < SOONEST_SECONDS || done <= first.done) return null;
  return Math.round(((total - done) * seconds) / (done - first.done));
}

function forgetOld(jobs: Map<string, Job>): void {
  for (const [id, { view }] of jobs) {
    if (jobs.size <= KEPT) return;
    if (!isUnderWay(view)) jobs.delete(id);
  }
}
