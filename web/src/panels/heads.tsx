import { client } from "../state/api.ts";
import { useJobs } from "../state/jobs.ts";
import { useAtlas, useCorpora } from "../state/queries.ts";
import { HeadPage } from "./head-page.tsx";
import { HeadsOverview } from "./heads-overview.tsx";
import { PrepareCorpus, useAtlasOnce } from "./prepare.tsx";
import { ProblemNote } from "./problem.tsx";
import { StartJob } from "./start-job.tsx";
import type { ViewProps } from "./view.ts";

/** The atlas: every head at a glance, and a page for each. */
export function Heads(props: ViewProps) {
  const { state, model } = props;
  const { corpus } = state;
  const { data: corpora } = useCorpora(model.name);
  const entry = corpora?.corpora.find(({ name }) => name === corpus);
  const ready = entry?.indexed ?? false;
  const { data, error } = useAtlas(model.name, corpus, ready);
  useAtlasOnce(
    corpus,
    model.name,
    client.hasJobs &&
      model.embedded &&
      data?.state === "absent" &&
      data.needs === "atlas" &&
      data.job === null,
  );
  if (entry === undefined) return null;
  if (!ready || (data?.state === "absent" && data.needs === "corpus")) {
    return (
      <section className="absent" aria-label="The atlas is not there yet">
        <h2>What every head looks for</h2>
        <p>
          The atlas shows each of the {model.layers * model.heads} heads by the pictures that it tells apart.
          It needs a corpus that the model has looked at.
        </p>
        <PrepareCorpus corpus={corpus} model={model.name} />
      </section>
    );
  }
  if (error) return <ProblemNote error={error} />;
  if (!data) return <p className="empty">Opening the atlas…</p>;
  if (data.state === "absent") {
    return (
      <MakeAtlas
        model={model.name}
        heads={model.layers * model.heads}
        {...{ corpus }}
        {...data}
        title={entry.title}
      />
    );
  }
  return state.head === null ? (
    <HeadsOverview {...props} atlas={data.atlas} />
  ) : (
    <HeadPage {...props} atlas={data.atlas} head={state.head} />
  );
}

interface AbsentProps {
  readonly model: string;
  readonly corpus: string;
  readonly title: string;
  readonly heads: number;
  readonly seconds: number | null;
  readonly images: number | null;
}

/** What an atlas would take, and the button that starts it. */
function MakeAtlas({ model, corpus, title, heads, seconds, images }: AbsentProps) {
  const { jobs } = useJobs();
  const job = jobs.find((one) => one.kind === "atlas" && one.subject === corpus && one.model === model);
  return (
    <section className="absent" aria-label="The atlas is not there yet">
      <h2>What every head looks for</h2>
      <p>
        For each of the {heads} heads of {model}, the atlas orders the pictures of “{title}”, chooses the
        texts that explain what varies in the head, and draws where it looked
        {images !== null && images > 0 && ` in ${images.toLocaleString("en")} of them`}. It is made once and
        kept.
      </p>
      <StartJob
        {...{ job, seconds }}
        label={job?.state === "cancelled" ? "Go on with the atlas" : "Make the atlas"}
        asks={{ kind: "atlas", corpus, model }}
      />
    </section>
  );
}
