import { useEffect, useState } from "react";
import { client, post } from "../state/api.ts";
import { isUnderWay, useJobs } from "../state/jobs.ts";
import { useCorpora, useInsights } from "../state/queries.ts";
import { store, stored } from "../state/stored.ts";
import { progressInWords } from "./jobs-tray.tsx";
import { ProblemNote } from "./problem.tsx";

/** Starts the atlas of an embedded model once where it is missing: it takes seconds, or another version made it. */
export function useAtlasOnce(corpus: string, model: string, wanted: boolean): void {
  useEffect(() => {
    const key = `atlas ${corpus} ${model}`;
    if (!wanted || sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, "1");
    post("/api/jobs", { kind: "atlas", corpus, model }).catch(() => {});
  }, [wanted, corpus, model]);
}

/** Has a corpus looked at by a model, from where that was stopped. */
export const startJob = (corpus: string, model: string): Promise<unknown> =>
  post("/api/jobs", { kind: "prepare", corpus, model });

/** Starts making and measuring a corpus once, the first time that a page opens without it; what was stopped stays stopped. */
export function usePreparedOnce(corpus: string, model: string | undefined, embedded: boolean): void {
  const { data } = useCorpora(model);
  const entry = data?.corpora.find(({ name }) => name === corpus);
  // What another version of the program measured is not known any more.
  const insights = useInsights(model, corpus, embedded && (entry?.indexed ?? false));
  const isMissing = entry !== undefined && (!entry.indexed || insights.data === null);
  const wanted = isMissing && entry.job === null && embedded;
  useEffect(() => {
    const key = `prepared ${corpus} ${model}`;
    if (!wanted || model === undefined || stored("sessionStorage", key)) return;
    store("sessionStorage", key, "1");
    startJob(corpus, model).catch(() => {});
  }, [wanted, corpus, model]);
}

/** What is shown where neighbours would be, before there is an index. */
export function PrepareCorpus({ corpus, model }: { corpus: string; model: string }) {
  const { jobs } = useJobs();
  const { data } = useCorpora(model);
  const [error, setError] = useState<unknown>(null);
  const job = jobs.find(
    ({ kind, subject, model: of }) => kind === "prepare" && subject === corpus && of === model,
  );
  // Before the corpora are known, none is known to be missing.
  if (data === undefined) return null;
  const entry = data.corpora.find(({ name }) => name === corpus);
  const title = entry?.title ?? corpus;
  if (!client.hasJobs && !entry?.own) {
    return (
      <p className="waiting">
        This page has no index of “{title}” by {model}. Choose other pictures above, or hand over a folder of
        your own; <code>clip-interpret serve</code> makes an index of any.
      </p>
    );
  }
  if (job && isUnderWay(job)) {
    return (
      <p className="waiting">
        {job.title}: {progressInWords(job)}. This happens once; everything else works meanwhile.
      </p>
    );
  }
  return (
    <div className="waiting">
      <p>
        To find similar pictures, {model} has to look at each of “{title}” once.
        {job?.state === "cancelled" && " This was stopped; it goes on from where it was."}
      </p>
      <button type="button" onClick={() => void startJob(corpus, model).catch(setError)}>
        {job ? "Go on" : "Start"}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </div>
  );
}
