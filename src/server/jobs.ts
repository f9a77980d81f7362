import { randomBytes } from "node:crypto";
import type { JobView } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ProgressEvent, Report, WorkOptions } from "../support/progress.ts";
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
  /** Starts a job, or gives the one that is under way for the same subject. */
  start(about: JobSubject, work: (options: Required<WorkOptions>) => Promise<unknown>): JobView;
  /** Newest first. */
  list(): JobView[];
  find(id: string): JobView | undefined;
  /** The job under way about a subject. */
  current(kind: JobView["kind"], subject: string, model: string): JobView | undefined;
  /** Stops a job; one that has ended stays as it is. */
  cancel(id: string): JobView | undefined;
  /** Calls `listener` with every job that changes, at most ten times a second each. @returns a function that stops it */
  listen(listener: (job: JobView) => void): () => void;
  /** Stops everything and waits for it. */
  close(): Promise<void>;
}

interface Job {
  view: JobView;
  readonly controller: AbortController;
  ended: Promise<void>;
  reported: number;
}

const KEPT = 50;
const EVERY = 100;

/** Makes a list of jobs. Those that compute wait for each other; downloads run beside them. */
export function createJobs(): Jobs {
  const jobs = new Map<string, Job>();
  const listeners = new Set<(job: JobView) => void>();
  const lanes: Record<JobView["kind"], Promise<void>> = {
    prepare: Promise.resolve(),
    atlas: Promise.resolve(),
    pull: Promise.resolve(),
  };

  const tell = (job: Job, always = true) => {
    const now = Date.now();
    if (!always && now - job.reported < EVERY) return;
    job.reported = now;
    for (const listener of listeners) listener(job.view);
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
          return change(job, { task: event.task, unit: event.unit, done: 0, total: event.total ?? null });
        case "advance":
          return change(job, { done: event.done, total: event.total ?? job.view.total }, false);
        case "note":
          return change(job, { task: withoutFolders(event.message) });
        case "warning": {
          const { message } = problemOf(new ClipInterpretError(event.code, event.message));
          return change(job, { warnings: [...job.view.warnings, message].slice(-5) });
        }
        case "end":
          return change(job, { done: event.done });
      }
    };

  const runJob = async (job: Job, work: (options: Required<WorkOptions>) => Promise<unknown>) => {
    const { signal } = job.controller;
    const end = (state: JobView["state"], error: JobView["error"] = null) =>
      change(job, { state, error, ended: new Date().toISOString() });
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

  return {
    start(about, work) {
      const known = [...jobs.values()].find(({ view }) => isAbout(view, about) && isUnderWay(view));
      // One that was asked to stop is not joined: it ends, and the new one goes on from what it left.
      if (known && !known.controller.signal.aborted) return known.view;
      const view: JobView = {
        id: randomBytes(9).toString("base64url"),
        ...about,
        state: "queued",
        task: null,
        unit: null,
        done: 0,
        total: null,
        warnings: [],
        error: null,
        started: new Date().toISOString(),
        ended: null,
      };
      const job: Job = { view, controller: new AbortController(), ended: Promise.resolve(), reported: 0 };
      jobs.set(view.id, job);
      forgetOld(jobs);
      job.ended = lanes[about.kind].then(() => runJob(job, work));
      lanes[about.kind] = job.ended;
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
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      for (const { controller } of jobs.values()) controller.abort();
      await Promise.allSettled([...jobs.values()].map(({ ended }) => ended));
    },
  };
}

const isUnderWay = ({ state }: JobView) => state === "queued" || state === "running";

const isAbout = (view: JobView, about: Pick<JobSubject, "kind" | "subject" | "model">) =>
  view.kind === about.kind && view.subject === about.subject && view.model === about.model;

function forgetOld(jobs: Map<string, Job>): void {
  for (const [id, { view }] of jobs) {
    if (jobs.size <= KEPT) return;
    if (!isUnderWay(view)) jobs.delete(id);
  }
}
