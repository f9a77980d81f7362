/** What whoever runs a server asks of it: whether it lives and is ready, its figures, and a line a request. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { requestId } from "hono/request-id";
import { Counter, Gauge, Histogram } from "prom-client";
import { createRegistry } from "../cluster/metrics.ts";

/** A request that was answered. */
export interface Answered {
  /** As the header X-Request-Id of the answer has it. */
  readonly request: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** What is asked about. */
export interface Operated {
  readonly stopping: AbortSignal;
  /** Jobs that wait or run. */
  readonly jobs: { underWay(): number };
}

/** `/healthz` and `/readyz`, which tell nothing and ask for no token: whoever probes a machine has none. */
export function addHealth(app: OpenAPIHono, { stopping }: Operated): void {
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) =>
    stopping.aborted ? context.text("stopping\n", 503) : context.text("ready\n"),
  );
}

/**
 * Counts requests and gives each an id, which one who calls may bring along.
 * @returns what counts, and what answers with the figures
 */
export function createOperations(
  { jobs }: Operated,
  onRequest: ((answered: Answered) => void) | undefined,
): { readonly middleware: readonly MiddlewareHandler[]; readonly metrics: MiddlewareHandler } {
  const registry = createRegistry();
  const registers = [registry];
  const requests = new Counter({
    name: "clip_interpret_requests_total",
    help: "Requests by method and status",
    labelNames: ["method", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "clip_interpret_request_seconds",
    help: "How long requests to the API took",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const underWay = new Gauge({
    name: "clip_interpret_jobs",
    help: "Jobs that wait or run",
    registers,
    collect: (): void => underWay.set(jobs.underWay()),
  });
  const count: MiddlewareHandler = async (context, next) => {
    const started = performance.now();
    await next();
    const { method, path } = context.req;
    const { status } = context.res;
    const milliseconds = performance.now() - started;
    // Methods that somebody made up would each be a series of their own.
    const known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].includes(method) ? method : "other";
    requests.inc({ method: known, status });
    if (path.startsWith("/api/")) seconds.observe(milliseconds / 1000);
    const request = context.get("requestId") as string;
    onRequest?.({ request, method, path, status, milliseconds: Math.round(milliseconds) });
  };
  return {
    middleware: [requestId({ limitLength: 64 }), count],
    metrics: async (context) =>
      context.body(await registry.metrics(), 200, { "Content-Type": registry.contentType }),
  };
}
