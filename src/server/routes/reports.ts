import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { comparisonShape, comparisonStateSchema } from "../../results/app.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { DRAWN_PAGE } from "../guard.ts";
import { type AddRoutes, getRoute } from "./route.ts";

/** Pages that commands wrote, and those that were asked for here. `GET /api/app` lists them. */
export const addReportRoutes: AddRoutes = (app, { reports, comparisons }) => {
  const page = createRoute({
    method: "get",
    path: "/api/reports/{report}",
    summary:
      "A page that a command wrote, such as a study's; runs nothing, and may be framed by the app alone",
    request: { params: z.object({ report: z.string().max(60) }) },
    responses: { 200: { description: "the page", content: { "text/html": { schema: z.string() } } } },
  });
  app.openapi(page, async (context) => {
    const { report: id } = context.req.valid("param");
    const report = [...reports, ...(await comparisons.reports())].find((one) => one.id === id);
    if (!report) throw new ClipInterpretError("NOT_FOUND", `the server has no report "${id}"`);
    const bytes = await report.read();
    context.set(DRAWN_PAGE as never, true as never);
    return context.body(new Uint8Array(bytes), 200, { "Content-Type": "text/html; charset=utf-8" }) as never;
  });

  const query = z.object(comparisonShape);
  app.openapi(
    getRoute(
      "/api/comparison",
      "The report of two models beside each other, or what it would take",
      comparisonStateSchema,
      {
        query,
      },
    ),
    async (context) => context.json(await (await comparisons.open(context.req.valid("query"))).state(), 200),
  );
};
