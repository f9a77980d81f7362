import type { JobView } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Services } from "./routes/route.ts";

/** Starts the job that makes and indexes a corpus and measures what heads know, or joins it. @throws `SERVER_BUSY` */
export async function startPrepare(
  { corpora, models, jobs, tasks, cache }: Services,
  corpus: string,
  name: string,
  client: string,
): Promise<JobView> {
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
  });
}
