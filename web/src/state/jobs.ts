import { useEffect, useSyncExternalStore } from "react";
import { client, type Job } from "./api.ts";
import { queryClient, renew } from "./queries.ts";
import { store, stored } from "./stored.ts";

/** What is known of jobs, and whether the server is heard. */
interface JobsState {
  readonly jobs: readonly Job[];
  readonly connected: boolean;
  /** Jobs that ended and whose lines were closed, in this tab. */
  readonly closed: ReadonlySet<string>;
}

const CLOSED = "closed jobs";
const MOST_CLOSED = 100;

let state: JobsState = {
  jobs: [],
  connected: true,
  closed: new Set((stored("sessionStorage", CLOSED) ?? "").split(" ").filter(Boolean)),
};

/** Closes the line of a job that ended; a reload does not bring it back. */
function close(id: string): void {
  const closed = [...state.closed, id].slice(-MOST_CLOSED);
  store("sessionStorage", CLOSED, closed.join(" "));
  set({ closed: new Set(closed) });
}

const listeners = new Set<() => void>();
const set = (change: Partial<JobsState>) => {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
};

function take(job: Job): void {
  const known = state.jobs.find(({ id }) => id === job.id);
  const jobs = known ? state.jobs.map((one) => (one.id === job.id ? job : one)) : [job, ...state.jobs];
  set({ jobs });
  const hasEnded = job.ended !== null && known?.ended == null;
  // What was made or fetched can be asked for now.
  if (hasEnded || !known) renewSoon();
}

/** What jobs make or fetch changes the answers to these. */
const MADE = [
  "corpora",
  "models",
  "properties",
  "insights",
  "neighbors",
  "model",
  "means",
  "without",
  "atlas",
  "comparison",
  "app",
];
let isDue = false;
/** Asks again once for all that is heard of in one go, as at the start every job is. */
function renewSoon(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    for (const key of MADE) void renew(key);
  });
}

function listen(): () => void {
  let failed = false;
  return client.listen({
    job: take,
    there() {
      // A server that was started again knows nothing of the old jobs.
      set(failed ? { connected: true, jobs: [] } : { connected: true });
      if (failed) void queryClient.invalidateQueries();
      failed = false;
    },
    gone() {
      failed = true;
      set({ connected: false });
    },
  });
}

/** Listens to the server's jobs as long as the page lives; a reload hears of all of them again. */
export function useJobsConnection(): void {
  useEffect(listen, []);
}

/** The jobs, newest first. */
export function useJobs(): JobsState & { readonly close: (id: string) => void } {
  const now = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
  return { ...now, close };
}

/** True for a job that is not over. */
export const isUnderWay = ({ state: at }: Job): boolean => at === "queued" || at === "running";

/** `3 minutes`. */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return seconds < 2 ? "a second" : `${Math.ceil(seconds)} seconds`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} minutes`;
  return `${(seconds / 3600).toFixed(1)} hours`;
}

/** How far a job is, 0–1; undefined where that is not known. */
export const shareOf = ({ done, total }: Job): number | undefined =>
  total === null || total === 0 ? undefined : Math.min(1, done / total);
