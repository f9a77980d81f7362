import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { compress } from "hono/compress";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import { VERSION } from "../support/version.ts";
import { pathBelow } from "./address.ts";
import { ownPagesOnly, secureHeaders, tokenRequired } from "./guard.ts";
import { type Answered, addHealth, createOperations } from "./operations.ts";
import { problemOf, statusOf } from "./problems.ts";
import { addAnalysisRoutes } from "./routes/analyses.ts";
import { addAtlasRoutes } from "./routes/atlas.ts";
import { addCorpusRoutes } from "./routes/corpora.ts";
import { addImageRoutes } from "./routes/images.ts";
import { addJobRoutes } from "./routes/jobs.ts";
import { addModelRoutes } from "./routes/models.ts";
import { addReportRoutes } from "./routes/reports.ts";
import type { Services } from "./routes/route.ts";
import { webApp } from "./static.ts";

/** How the app is reached. */
export interface AppOptions {
  /** Without one, only loopback names are answered. */
  readonly token: string | undefined;
  /** Where its pages are seen from outside, beside the address it listens at: `https://clip.example.org`. */
  readonly origins: readonly string[];
  /** Origins whose pages may show a single view in a frame. */
  readonly embed: readonly string[];
  /** The path below which it lies, without a slash at its end. */
  readonly basePath: string;
  /** The built web app; without it, the API alone. */
  readonly webFolder: string | undefined;
  /** Hears of faults of ours, for the terminal. */
  readonly onFault: (error: unknown) => void;
  /** Hears of each request that was answered, for a log. */
  readonly onRequest?: ((answered: Answered) => void) | undefined;
}

/** The HTTP API and the web app over it. */
export async function createApp(services: Services, options: AppOptions): Promise<OpenAPIHono> {
  const { token, origins, embed, basePath, webFolder, onFault, onRequest } = options;
  const operations = createOperations(services, onRequest);
  const app = new OpenAPIHono({
    getPath: pathBelow(basePath),
    defaultHook: (result) => {
      if (!result.success) throw new ClipInterpretError("REQUEST_INVALID", reasonOf(result.error));
    },
  });
  app.use(...operations.middleware);
  app.use(secureHeaders(embed));
  app.use(ownPagesOnly(token, origins));
  addHealth(app, services);
  if (basePath !== "") app.get(basePath, toFolder);
  app.use(tokenRequired(token));
  app.get("/metrics", operations.metrics);
  app.use("/api/*", untilItStops(services.stopping));
  app.use("/api/*", compress({ contentTypeFilter: /^application\/json\b/ }));
  app.use("/api/*", boundedBody(services.limits.requestBytes));
  app.use("/api/*", async (context, next) => {
    await next();
    if (!context.res.headers.has("Cache-Control")) context.res.headers.set("Cache-Control", "no-store");
  });
  for (const add of [
    addModelRoutes,
    addImageRoutes,
    addCorpusRoutes,
    addAnalysisRoutes,
    addAtlasRoutes,
    addJobRoutes,
    addReportRoutes,
  ])
    add(app, services);
  app.doc31("/api/openapi.json", { openapi: "3.1.0", info: { title: "clip-interpret", version: VERSION } });
  app.all("/api/*", () => {
    throw new ClipInterpretError("NOT_FOUND", "the API has no such address");
  });
  if (webFolder !== undefined) app.get("*", await webApp(webFolder));
  app.notFound(() => {
    throw new ClipInterpretError("NOT_FOUND", "there is no such page");
  });
  app.onError((thrown, context) => {
    const error =
      thrown instanceof HTTPException && thrown.status < 500
        ? new ClipInterpretError("REQUEST_INVALID", messageOf(thrown) || "the request was not understood")
        : thrown;
    const problem = problemOf(error);
    if (["INTERNAL", "THREAD_ENDED"].includes(problem.code) && !context.req.raw.signal.aborted)
      onFault(thrown);
    const status = statusOf(problem.code) as ContentfulStatusCode;
    if (status === 503) context.header("Retry-After", RETRY_SECONDS);
    return context.json({ error: problem }, status);
  });
  return app;
}

/** When one who was told that the server is busy should ask again. */
const RETRY_SECONDS = "2";

/** `/clip` is `/clip/`: what is relative on the page lies below it. Relative itself, as a proxy may have cut the path. */
const toFolder: MiddlewareHandler = async (context) => {
  const { pathname, search } = new URL(context.req.url);
  return context.redirect(`${pathname.split("/").at(-1)}/${search}`, 308);
};

/** A connection that is still open when the server stops brings no further work. */
const untilItStops =
  (stopping: AbortSignal): MiddlewareHandler =>
  async (_, next) => {
    if (stopping.aborted) throw new ClipInterpretError("SERVER_BUSY", "the server is stopping");
    return next();
  };

/**
 * JSON requests say how long they are, which Node's parser holds them to, and that is not much. Uploads are counted
 * where they are read.
 */
const boundedBody =
  (most: number): MiddlewareHandler =>
  async (context, next) => {
    const { method, path } = context.req;
    if (["GET", "HEAD", "DELETE"].includes(method) || path === "/api/images") return next();
    const length = context.req.header("content-length");
    // Without either header there is no body.
    if (length === undefined && context.req.header("transfer-encoding") === undefined) return next();
    if (length === undefined)
      throw new ClipInterpretError("REQUEST_INVALID", "the request has no Content-Length");
    if (Number(length) > most) {
      throw new ClipInterpretError("UPLOAD_TOO_LARGE", `the request is larger than ${most / 1e3} kB`);
    }
    return next();
  };
