import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import {
  addCorpusRequestSchema,
  addedCorpusSchema,
  changedCorporaSchema,
  rootsSchema,
} from "../../results/app.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { startPrepare } from "../prepare.ts";
import { type AddRoutes, answers, callerOf, getRoute, postRoute } from "./route.ts";

const params = z.object({ corpus: z.string().max(60) });

/** Corpora of one's own: looking for a folder, adding it, making it the default, removing it. */
export const addCorpusRoutes: AddRoutes = (app, services) => {
  const { corpora, roots, jobs } = services;
  const changed = () =>
    changedCorporaSchema.parse({
      corpora: corpora.list().map(({ name }) => name),
      default: corpora.defaultName(),
    });

  const query = z.object({
    root: z.string().max(255).optional(),
    path: z.string().max(4000).default(""),
  });
  app.openapi(
    getRoute("/api/roots", "Folders below which pictures may be chosen", rootsSchema, { query }),
    async (context) => {
      const { root, path } = context.req.valid("query");
      const folder = root === undefined ? null : await roots.browse(root, path);
      return context.json(rootsSchema.parse({ roots: roots.all.map(({ name }) => name), folder }), 200);
    },
  );
  app.openapi(
    postRoute(
      "/api/corpora",
      "Add a folder of pictures, and index it",
      addCorpusRequestSchema,
      addedCorpusSchema,
    ),
    async (context) => {
      const { root, path, model } = context.req.valid("json");
      if (roots.all.length === 0) {
        throw new ClipInterpretError("NOT_FOUND", "this server was started without folders to choose from", {
          hint: "Start it with --root FOLDER: the page can then add what lies below it.",
        });
      }
      const found = await roots.resolve(root, path);
      const { name } = await corpora.add(found.folder, found.root);
      const job = await startPrepare(services, name, model, callerOf(context).client);
      return context.json({ corpus: name, job }, 200);
    },
  );
  const choose = createRoute({
    method: "post",
    path: "/api/corpora/{corpus}/default",
    summary: "Make a corpus the one that is searched first",
    request: { params },
    responses: answers(changedCorporaSchema),
  });
  app.openapi(choose, async (context) => {
    await corpora.setDefault(context.req.valid("param").corpus);
    return context.json(changed(), 200);
  });
  const remove = createRoute({
    method: "delete",
    path: "/api/corpora/{corpus}",
    summary: "Remove a corpus that was added, and its indexes; never its pictures",
    request: { params },
    responses: answers(changedCorporaSchema),
  });
  app.openapi(remove, async (context) => {
    const { corpus } = context.req.valid("param");
    if (corpora.spec(corpus).own) await jobs.stopAbout(corpus);
    await corpora.remove(corpus);
    return context.json(changed(), 200);
  });
};
