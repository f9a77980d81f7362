import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { ClipInterpretError } from "../../support/errors.ts";
import { DRAWN_PAGE } from "../guard.ts";
import type { AddRoutes } from "./route.ts";

/** Pages that commands wrote. `GET /api/app` lists them. */
export const addReportRoutes: AddRoutes = (app, { reports }) => {
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
    const report = reports.find((one) => one.id === id);
    if (!report) throw new ClipInterpretError("NOT_FOUND", `the server has no report "${id}"`);
    const bytes = await report.read();
    context.set(DRAWN_PAGE as never, true as never);
    return context.body(new Uint8Array(bytes), 200, { "Content-Type": "text/html; charset=utf-8" }) as never;
  });
};
