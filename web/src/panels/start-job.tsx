import { useState } from "react";
import { type Job, post } from "../state/api.ts";
import { durationInWords, isUnderWay } from "../state/jobs.ts";
import { JobLine } from "./jobs-tray.tsx";
import { ProblemNote } from "./problem.tsx";

interface Props {
  /** The job, once it was started. */
  readonly job: Job | undefined;
  /** What the button says. */
  readonly label: string;
  /** What has to be done before, in words. */
  readonly before?: string;
  /** About what it takes; null where that is not known. */
  readonly seconds: number | null;
  /** `POST /api/jobs`. */
  readonly asks: object;
  readonly onStarted?: (id: string) => void;
}

/** A job to start, with what it takes; how far it is; why it failed. */
export function StartJob({ job, label, before = "", seconds, asks, onStarted }: Props) {
  const [failure, setFailure] = useState<unknown>(null);
  if (job && isUnderWay(job)) return <JobLine job={job} />;
  const start = () => {
    setFailure(null);
    post<Job>("/api/jobs", asks)
      .then(({ id }) => onStarted?.(id))
      .catch(setFailure);
  };
  return (
    <>
      <div className="buttons">
        <button type="button" className="primary" onClick={start}>
          {label}
        </button>
        <span className="muted" data-testid="estimate">
          {before}
          {seconds !== null && `takes about ${durationInWords(seconds)}; everything else works meanwhile`}
        </span>
      </div>
      {job?.state === "failed" && job.error && (
        <p className="field-problem">
          {job.error.message} {job.error.hint}
        </p>
      )}
      {failure !== null && <ProblemNote error={failure} />}
    </>
  );
}
