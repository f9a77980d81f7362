import { useState } from "react";
import { useJobs } from "../state/jobs.ts";
import { useComparison, useModels } from "../state/queries.ts";
import { CorpusChoice } from "./corpus-choice.tsx";
import { ProblemNote } from "./problem.tsx";
import { StartJob } from "./start-job.tsx";
import type { ViewProps } from "./view.ts";

/** Two models beside each other, made as a job with an estimate first; its report is shown like any other. */
export function CompareModels({ state, go, model }: ViewProps) {
  const { data } = useModels(true);
  const [chosen, setChosen] = useState("");
  const [by, setBy] = useState<"responses" | "weights">("responses");
  const others = (data?.models ?? []).filter(({ name, present }) => present && name !== model.name);
  const other = others.find(({ name }) => name === chosen)?.name;
  const asked = other === undefined ? undefined : { model: model.name, other, by, corpus: state.corpus };
  return (
    <section className="compare-models" aria-labelledby="compare-models">
      <h2 id="compare-models">Compare two models</h2>
      <div className="control-row">
        <label>
          {model.name} and{" "}
          <select value={other ?? ""} onChange={(event) => setChosen(event.target.value)}>
            <option value="">choose a model</option>
            {others.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          by{" "}
          <select value={by} onChange={(event) => setBy(event.target.value as typeof by)}>
            <option value="responses">what their heads respond to</option>
            <option value="weights">weights: fine-tuned from it</option>
          </select>
        </label>
        {by === "responses" && <CorpusChoice {...{ state, go, model }} />}
      </div>
      {asked && <Comparison asked={asked} onOpen={(report) => go({ report })} />}
    </section>
  );
}

type Asked = NonNullable<Parameters<typeof useComparison>[0]>;

/** What a comparison would take, the job that makes it, or where it is. */
function Comparison({ asked, onOpen }: { readonly asked: Asked; readonly onOpen: (report: string) => void }) {
  const { jobs } = useJobs();
  const { data, error } = useComparison(asked);
  const [started, setStarted] = useState<string | null>(null);
  if (error) return <ProblemNote error={error} />;
  if (!data) return <p className="muted">Looking what it takes…</p>;
  if (data.state === "ready") {
    return (
      <p>
        This is there already.{" "}
        <button type="button" onClick={() => onOpen(data.report)}>
          Show the report
        </button>
      </p>
    );
  }
  const job = jobs.find(({ id }) => id === (data.job ?? started));
  const { images, seconds } = data;
  return (
    <StartJob
      {...{ job, seconds }}
      label="Compare"
      before={
        images !== null && images > 0
          ? `${images.toLocaleString("en")} pictures have to be looked at first; `
          : ""
      }
      asks={{ kind: "compare", ...asked }}
      onStarted={setStarted}
    />
  );
}
