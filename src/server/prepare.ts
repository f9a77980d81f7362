import { isEmbedded } from "../model/embedded.ts";
import type { ComparisonAsked, JobView } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Services } from "./routes/route.ts";

/** Starts the job that makes and indexes a corpus and measures what heads know, or joins it. @throws `SERVER_BUSY` */
export async function startPrepare(
  services: Services,
  corpus: string,
  name: string,
  client: string,
): Promise<JobView> {
  const { corpora, models, jobs, tasks, cache } = services;
  const spec = corpora.spec(corpus);
  const model = await models.load(name);
  const about = {
    kind: "prepare",
    title: `Getting ${spec.title} ready`,
    subject: corpus,
    model: model.id,
  } as const;
  return jobs.start(about, client, async (work) => {
    await corpora.prepare(corpus, model, work);
    const { place } = await corpora.index(corpus, model);
    await tasks.run("insights", { ...place, cache }, work).catch((error) => {
      // Images of which nothing is known can be searched all the same.
      if (!(error instanceof ClipInterpretError && error.code === "FACTORS_MISSING")) throw error;
    });
    // The embedded models' takes seconds, so it is there before anybody asks for it.
    if (isEmbedded(model.name)) await startAtlas(services, corpus, name, client).catch(() => {});
  });
}

/** Starts the job that compares two models, which indexes the corpus with each first, or joins it. @throws `SERVER_BUSY` */
export async function startComparison(
  services: Services,
  asked: ComparisonAsked,
  client: string,
): Promise<JobView> {
  const { comparisons, jobs } = services;
  const two = await comparisons.open(asked);
  return jobs.start(two.about, client, (work) => two.make(work));
}

/** Starts the job that makes the atlas of a model over a corpus, or joins it. @throws `CORPUS_NOT_READY`, `SERVER_BUSY` */
export async function startAtlas(
  { corpora, models, jobs, tasks, cache }: Services,
  corpus: string,
  name: string,
  client: string,
): Promise<JobView> {
  const spec = corpora.spec(corpus);
  const model = await models.load(name);
  await corpora.index(corpus, model);
  const about = {
    kind: "atlas",
    title: `Making the atlas over ${spec.title}`,
    subject: corpus,
    model: model.id,
  } as const;
  return jobs.start(about, client, async (work) => {
    const { place } = await corpora.index(corpus, model);
    await tasks.run("atlas", { ...place, cache }, work);
  });
}
