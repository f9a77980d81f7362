import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { Puller } from "../../hub/pull.ts";
import { problemSchema } from "../../results/app.ts";
import type { ServedLabels } from "../atlas.ts";
import type { Comparisons } from "../comparisons.ts";
import type { Corpora } from "../corpora.ts";
import type { Pictures } from "../drawing.ts";
import type { Jobs } from "../jobs.ts";
import type { Limits } from "../limits.ts";
import type { Caller, Looks } from "../looks.ts";
import type { ServedModels } from "../models.ts";
import type { FairQueue } from "../queue.ts";
import type { Report } from "../reports.ts";
import type { Roots } from "../roots.ts";
import type { TaskRunner } from "../threads/task-runner.ts";
import type { Uploads } from "../uploads.ts";

/** What routes answer with. */
export interface Services {
  readonly models: ServedModels;
  readonly corpora: Corpora;
  readonly uploads: Uploads;
  readonly pictures: Pictures;
  readonly looks: Looks;
  /** Whose turn it is to search. */
  readonly searches: FairQueue;
  readonly jobs: Jobs;
  /** The thread of jobs' work, and that of pages'. */
  readonly tasks: TaskRunner;
  readonly asks: TaskRunner;
  readonly roots: Roots;
  /** Pages that it was started with. */
  readonly reports: readonly Report[];
  readonly comparisons: Comparisons;
  readonly puller: Puller;
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
  readonly limits: Limits;
  /** Where results that are worth keeping are kept. */
  readonly cache: string;
  /** A labels file, for properties. */
  readonly labelsFile: string | undefined;
  /** What heads are called, by hand, by that file, or as it was published. */
  readonly labels: ServedLabels;
}

/** Adds a group of routes. */
export type AddRoutes = (app: OpenAPIHono, services: Services) => void;

/** A `GET` with path and query parameters. */
export const getRoute = <
  Response extends z.ZodType,
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
>(
  path: string,
  summary: string,
  response: Response,
  parts: { params?: Params; query?: Query } = {},
) =>
  createRoute({
    method: "get",
    path,
    summary,
    request: {
      params: (parts.params ?? z.object({})) as Params,
      query: (parts.query ?? z.object({})) as Query,
    },
    responses: answers(response),
  });

/** A `POST` with a JSON body. */
export const postRoute = <Body extends z.ZodType, Response extends z.ZodType>(
  path: string,
  summary: string,
  body: Body,
  response: Response,
) =>
  createRoute({
    method: "post",
    path,
    summary,
    request: { body: { required: true, content: { "application/json": { schema: body } } } },
    responses: answers(response),
  });

/** The answer of a route, and what any failure looks like. */
export const answers = <Response extends z.ZodType>(schema: Response) => ({
  200: { description: "the answer", content: { "application/json": { schema } } },
  default: { description: "what went wrong", content: { "application/json": { schema: problemSchema } } },
});

/** Who sent a request: a browser's tab names itself, so that two tabs take turns too. */
export function callerOf(context: Context): Caller {
  const tab = context.req.header("x-client")?.slice(0, 64) ?? "";
  const address = (context.env as { incoming?: { socket?: { remoteAddress?: string } } }).incoming?.socket
    ?.remoteAddress;
  return { client: `${address ?? ""} ${tab}`, signal: context.req.raw.signal };
}
