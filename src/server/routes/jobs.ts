import { createRoute } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { findHubModel } from "../../hub/known-models.ts";
import { type JobView, jobRequestSchema, jobSchema, jobsSchema } from "../../results/app.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { measureInsights } from "../insights.ts";
import { type AddRoutes, answers, getRoute, postRoute } from "./route.ts";

/** Long work: what is under way, starting it, stopping it, and hearing of it. */
export const addJobRoutes: AddRoutes = (app, { jobs, corpora, models, puller, cache, limits }) => {
  const startPrepare = async (corpus: string, name: string): Promise<JobView> => {
    const spec = corpora.spec(corpus);
    const model = await models.load(name);
    const about = {
      kind: "prepare",
      title: `Getting ${spec.title} ready`,
      subject: corpus,
      model: model.id,
    } as const;
    return jobs.start(about, async (work) => {
      await corpora.prepare(corpus, model, work);
      const { index } = await corpora.search(corpus, model);
      await measureInsights(model, index, cache, work).catch((error) => {
        // Images of which nothing is known can be searched all the same.
        if (!(error instanceof ClipInterpretError && error.code === "FACTORS_MISSING")) throw error;
      });
    });
  };
  const startPull = async (name: string): Promise<JobView> => {
    const model = findHubModel(name);
    if (!model) throw new ClipInterpretError("MODEL_NOT_FOUND", `"${name}" is no known model and no hub id`);
    const about = {
      kind: "pull",
      title: `Fetching ${model.name}`,
      subject: model.name,
      model: model.name,
    } as const;
    return jobs.start(about, (work) => puller.pull(model.name, work));
  };

  app.openapi(
    postRoute("/api/jobs", "Start long work, or join it", jobRequestSchema, jobSchema),
    async (context) => {
      const asked = context.req.valid("json");
      const job =
        asked.kind === "prepare"
          ? await startPrepare(asked.corpus, asked.model)
          : await startPull(asked.model);
      return context.json(job, 200);
    },
  );
  app.openapi(getRoute("/api/jobs", "Long work, newest first", jobsSchema), (context) =>
    context.json({ jobs: jobs.list() }, 200),
  );

  let listening = 0;
  const events = createRoute({
    method: "get",
    path: "/api/jobs/events",
    summary: "Server-sent events: `job`, at first every job, then each that changes",
    responses: { 200: { description: "events", content: { "text/event-stream": { schema: z.string() } } } },
  });
  app.openapi(events, (context) => {
    if (listening >= limits.listeners)
      throw new ClipInterpretError("SERVER_BUSY", "too many pages are listening");
    // nginx may otherwise keep events back until it has some kB of them.
    context.header("X-Accel-Buffering", "no");
    return streamSSE(context, async (stream) => {
      listening++;
      const send = (job: JobView) => stream.writeSSE({ event: "job", data: JSON.stringify(job), id: job.id });
      const stop = jobs.listen((job) => void send(job).catch(() => {}));
      try {
        for (const job of jobs.list().reverse()) await send(job);
        await stream.writeSSE({ event: "ready", data: "" });
        while (!stream.aborted && !stream.closed) {
          await Promise.race([stream.sleep(15_000), new Promise<void>((resolve) => stream.onAbort(resolve))]);
          if (!stream.aborted) await stream.writeSSE({ event: "ping", data: "" });
        }
      } finally {
        stop();
        listening--;
      }
    });
  });

  const params = z.object({ id: z.string().max(40) });
  const missing = () => new ClipInterpretError("NOT_FOUND", "there is no such job");
  app.openapi(getRoute("/api/jobs/{id}", "One job", jobSchema, { params }), (context) => {
    const job = jobs.find(context.req.valid("param").id);
    if (!job) throw missing();
    return context.json(job, 200);
  });
  const cancel = createRoute({
    method: "delete",
    path: "/api/jobs/{id}",
    summary: "Stop a job; what it has done is kept",
    request: { params },
    responses: answers(jobSchema),
  });
  app.openapi(cancel, (context) => {
    const job = jobs.cancel(context.req.valid("param").id);
    if (!job) throw missing();
    return context.json(job, 200);
  });
};
