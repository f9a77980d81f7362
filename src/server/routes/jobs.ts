import { createRoute } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { findHubModel } from "../../hub/known-models.ts";
import { type JobView, jobRequestSchema, jobSchema, jobsSchema } from "../../results/app.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { startAtlas, startComparison, startPrepare } from "../prepare.ts";
import { type AddRoutes, answers, callerOf, getRoute, postRoute } from "./route.ts";

const PING = 15_000;

/** Long work: what is under way, starting it, stopping it, and hearing of it. */
export const addJobRoutes: AddRoutes = (app, services) => {
  const { jobs, puller, limits, stopping } = services;
  const startPull = (name: string, client: string): JobView => {
    const model = findHubModel(name);
    if (!model) throw new ClipInterpretError("MODEL_NOT_FOUND", `"${name}" is no known model and no hub id`);
    const about = {
      kind: "pull",
      title: `Fetching ${model.name}`,
      subject: model.name,
      model: model.name,
    } as const;
    return jobs.start(about, client, (work) => puller.pull(model.name, work));
  };

  app.openapi(
    postRoute("/api/jobs", "Start long work, or join it", jobRequestSchema, jobSchema),
    async (context) => {
      const asked = context.req.valid("json");
      const { client } = callerOf(context);
      switch (asked.kind) {
        case "pull":
          return context.json(startPull(asked.model, client), 200);
        case "compare":
          return context.json(await startComparison(services, asked, client), 200);
        case "prepare":
          return context.json(await startPrepare(services, asked.corpus, asked.model, client), 200);
        case "atlas":
          return context.json(await startAtlas(services, asked.corpus, asked.model, client), 200);
      }
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
      // Of jobs that changed only what they are now is sent: a page that reads slowly makes nothing grow.
      const changed = new Set<string>();
      let wake = () => {};
      const stop = jobs.listen((id) => {
        changed.add(id);
        wake();
      });
      const woken = () =>
        new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, PING);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      stream.onAbort(() => wake());
      const stopNow = () => wake();
      stopping.addEventListener("abort", stopNow);
      const send = async (job: JobView | undefined) => {
        if (job) await stream.writeSSE({ event: "job", data: JSON.stringify(job), id: job.id });
      };
      try {
        for (const job of jobs.list().reverse()) await send(job);
        await stream.writeSSE({ event: "ready", data: "" });
        // A server that stops says what became of its jobs.
        const over = () => stopping.aborted && changed.size === 0 && jobs.underWay() === 0;
        while (!stream.aborted && !stream.closed && !over()) {
          if (changed.size === 0) await woken();
          if (stream.aborted || over()) break;
          if (changed.size === 0) await stream.writeSSE({ event: "ping", data: "" });
          for (const id of changed) {
            changed.delete(id);
            await send(jobs.find(id));
          }
        }
      } finally {
        stop();
        stopping.removeEventListener("abort", stopNow);
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
