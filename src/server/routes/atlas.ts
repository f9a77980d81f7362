import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { labelAtlas, labelPage } from "../../analysis/atlas/labels.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import {
  type AtlasResult,
  atlasFindRequestSchema,
  atlasHeadResultSchema,
  atlasLabelRequestSchema,
  atlasLabelSchema,
  atlasStateSchema,
  headLabelsSchema,
  knowingHeadsSchema,
} from "../../results/atlas.ts";
import { headNamed } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { estimateAtlas, servedAtlas } from "../atlas.ts";
import type { ServedModel } from "../models.ts";
import { type AddRoutes, answers, callerOf, getRoute, postRoute } from "./route.ts";

/** The atlas of heads: every head at a glance, a page for each, which heads know a text, and what heads are called. */
export const addAtlasRoutes: AddRoutes = (
  app,
  { models, corpora, jobs, looks, searches, asks, cache, labels },
) => {
  // What was made of an index stays true as long as it is that index.
  const made = new WeakMap<ShardedIndex, AtlasResult>();
  const overviewOf = async (model: ServedModel, index: ShardedIndex) => {
    const overview = made.get(index) ?? (await (await servedAtlas(model, index, cache)).overview());
    if (overview) made.set(index, overview);
    return overview;
  };
  const headOf = (model: ServedModel, name: string) => {
    const head = headNamed(name);
    const { layers, heads } = model.geometry;
    if (head.layer < layers && head.head < heads) return head;
    throw new ClipInterpretError("NOT_FOUND", `the model has no head ${name}`);
  };

  const query = z.object({ model: z.string().max(200), corpus: z.string().max(60) });
  const params = z.object({ head: z.string().regex(/^L\d{1,3}\.H\d{1,3}$/, "a head is written L3.H1") });

  app.openapi(
    getRoute("/api/atlas", "Every head at a glance, or what it would take", atlasStateSchema, { query }),
    async (context) => {
      const { corpus, ...asked } = context.req.valid("query");
      const model = await models.load(asked.model);
      const found = await corpora.index(corpus, model).catch((error) => {
        if (error instanceof ClipInterpretError && error.code === "CORPUS_NOT_READY") return undefined;
        throw error;
      });
      const jobOf = (kind: "prepare" | "atlas") => jobs.current(kind, corpus, model.id)?.id ?? null;
      const absent = { state: "absent", seconds: null, images: null } as const;
      if (!found) return context.json({ ...absent, needs: "corpus" as const, job: jobOf("prepare") }, 200);
      const overview = await overviewOf(model, found.index);
      if (overview) {
        const atlas = labelAtlas(overview, await labels.of(model));
        return context.json({ state: "ready" as const, atlas }, 200);
      }
      const job = jobOf("atlas");
      // While the job runs it says itself how long it still takes.
      const estimate = job === null ? await estimateAtlas(model, found.index) : {};
      return context.json({ ...absent, ...estimate, needs: "atlas" as const, job }, 200);
    },
  );

  app.openapi(
    getRoute("/api/atlas/heads/{head}", "The page of one head", atlasHeadResultSchema, { params, query }),
    async (context) => {
      const { corpus, ...asked } = context.req.valid("query");
      const model = await models.load(asked.model);
      const head = headOf(model, context.req.valid("param").head);
      const { index } = await corpora.index(corpus, model);
      const page = await (await servedAtlas(model, index, cache)).page(head.name);
      if (!page) throw new ClipInterpretError("CORPUS_NOT_READY", `the atlas of "${corpus}" is not made yet`);
      return context.json(labelPage(page, await labels.of(model)), 200);
    },
  );

  app.openapi(
    postRoute("/api/atlas/find", "Which heads know a text", atlasFindRequestSchema, knowingHeadsSchema),
    async (context) => {
      const { corpus, text, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const { place } = await corpora.index(corpus, model);
      const embedding = await looks.texts(model, [text], caller);
      const asking = { ...place, text, embedding, labels: await labels.of(model) };
      const found = await searches.run(caller.client, caller.signal, () => asks.run("knowingHeads", asking));
      return context.json(found, 200);
    },
  );

  app.openapi(
    getRoute("/api/labels", "What a model's heads are called, and who says so", headLabelsSchema, {
      query: query.pick({ model: true }),
    }),
    async (context) => {
      const model = await models.load(context.req.valid("query").model);
      const heads = Object.entries(await labels.of(model)).map(([name, label]) => ({
        ...headNamed(name),
        label,
      }));
      return context.json({ heads }, 200);
    },
  );

  const put = createRoute({
    method: "put",
    path: "/api/atlas/heads/{head}/label",
    summary: "Call a head something; an empty label takes one's own away",
    request: {
      params,
      body: { required: true, content: { "application/json": { schema: atlasLabelRequestSchema } } },
    },
    responses: answers(atlasLabelSchema),
  });
  app.openapi(put, async (context) => {
    const { label, by, ...asked } = context.req.valid("json");
    const model = await models.load(asked.model);
    const head = headOf(model, context.req.valid("param").head);
    return context.json({ head, label: await labels.set(model, head.name, label, by) }, 200);
  });
};
