import { cancelJob, type Job } from "../state/api.ts";
import { durationInWords, isUnderWay, shareOf, useJobs } from "../state/jobs.ts";

/** What the server is at in the background: what runs can be stopped, what failed closed. */
export function JobsTray() {
  const { jobs, connected, closed, close } = useJobs();
  const shown = jobs.filter(
    (job, i) => isUnderWay(job) || (i < 3 && job.state !== "done" && !closed.has(job.id)),
  );
  return (
    <aside className="jobs" aria-label="Background work" aria-live="polite">
      {!connected && (
        <div className="job failed" role="alert">
          <strong>The server does not answer.</strong> Start it again with <code>clip-interpret serve</code>.
          This page goes on by itself.
        </div>
      )}
      {shown.map((job) => (
        <JobLine key={job.id} job={job} onClose={() => close(job.id)} />
      ))}
    </aside>
  );
}

const ENDED: Partial<Record<Job["state"], string>> = { failed: "failed", cancelled: "stopped" };

/** One job with how far it is. */
export function JobLine({ job, onClose }: { readonly job: Job; readonly onClose?: () => void }) {
  const share = shareOf(job);
  const ended = ENDED[job.state];
  return (
    <div className={`job ${job.state}`}>
      <span className="title">
        {job.title}
        {ended !== undefined && <> — {ended}</>}
        {isUnderWay(job) && <small> {progressInWords(job)}</small>}
      </span>
      {isUnderWay(job) && (
        <>
          <progress aria-label={job.title} {...(share !== undefined && { value: share })} max={1} />
          <button type="button" onClick={() => void cancelJob(job.id).catch(() => {})}>
            Stop
          </button>
        </>
      )}
      {ended !== undefined && onClose && (
        <button type="button" aria-label={`Close: ${job.title}`} onClick={onClose}>
          ×
        </button>
      )}
      {job.error && (
        <span className="why">
          {job.error.message} {job.error.hint}
        </span>
      )}
    </div>
  );
}

/** `drawing scenes, 120 of 2,000, about 40 seconds left`. */
export function progressInWords({ state, task, unit, done, total, secondsLeft }: Job): string {
  if (state === "queued") return "waits";
  if (task === null) return "starts";
  const amount = (value: number) =>
    unit === "byte" ? `${(value / 1e6).toFixed(0)} MB` : value.toLocaleString("en");
  const left = secondsLeft === null ? "" : `, about ${durationInWords(secondsLeft)} left`;
  return total === null ? `${task}, ${amount(done)}` : `${task}, ${amount(done)} of ${amount(total)}${left}`;
}
