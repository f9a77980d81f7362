import { z } from "zod";
import { withoutSeen } from "../../analysis/ablation/without-seen.ts";
import { averageScores } from "../../analysis/explain/compared.ts";
import { explainSeen } from "../../analysis/explain/explain.ts";
import type { Query } from "../../analysis/neighbors/neighbors.ts";
import { everyHeadsTokens } from "../../analysis/segmentation/every-head.ts";
import { segmentSeen } from "../../analysis/segmentation/segmentation.ts";
import { wordsSeen } from "../../analysis/words/words.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { parseComponents } from "../../model/components.ts";
import { truncatedIn } from "../../model/notices.ts";
import { requireDirections } from "../../model/singular-directions.ts";
import {
  explainRequestSchema,
  fineTuneRequestSchema,
  fromWeightsRequestSchema,
  insightsSchema,
  meansRequestSchema,
  meansSchema,
  neighborsRequestSchema,
  propertiesSchema,
  segmentRequestSchema,
  tokensRequestSchema,
  tokensSchema,
  withoutRequestSchema,
  withoutSchema,
  wordsRequestSchema,
} from "../../results/app.ts";
import { explainResultSchema } from "../../results/explain.ts";
import { fineTuneResultSchema } from "../../results/fine-tune.ts";
import { fromWeightsResultSchema } from "../../results/from-weights.ts";
import { neighborsResultSchema } from "../../results/neighbors.ts";
import { originOf } from "../../results/origin.ts";
import { segmentResultSchema } from "../../results/segment.ts";
import { wordsResultSchema } from "../../results/words.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { type Insights, type Property, propertiesOf, readInsights } from "../insights.ts";
import type { Look } from "../looks.ts";
import type { ServedModel } from "../models.ts";
import { parseWithProperties } from "../named-sets.ts";
import { createFairQueue } from "../queue.ts";
import type { IndexPlace } from "../threads/tasks.ts";
import { type AddRoutes, callerOf, getRoute, postRoute } from "./route.ts";

/** The analyses. Each loads the model once, decomposes the image once, and after that only multiplies. */
export const addAnalysisRoutes: AddRoutes = (
  app,
  { models, looks, corpora, searches, asks, tasks, limits, cache, labels, labelsFile },
) => {
  // Reading weights takes from a second to a minute: in turns of its own, and beside what pages wait for.
  const weighings = createFairQueue(limits);
  // What was measured of an index stays true as long as it is that index.
  const measured = new WeakMap<ShardedIndex, Insights>();
  const named = new WeakMap<ShardedIndex, { readonly changes: number; readonly properties: Property[] }>();
  const insightsOf = async (model: ServedModel, corpus: string) => {
    const { index } = await corpora.index(corpus, model);
    const insights = measured.get(index) ?? (await readInsights(model, index, cache));
    if (insights) measured.set(index, insights);
    return { index, insights };
  };
  /** Heads by property; before anything is measured those of labels alone. */
  const headsOf = async (model: ServedModel, corpus: string) => {
    const { index, insights } = await insightsOf(model, corpus).catch(() => ({
      index: undefined,
      insights: undefined,
    }));
    const known = index && named.get(index);
    const { changes } = labels;
    if (known?.changes === changes) return known.properties;
    const properties = await propertiesOf(model, insights, labelsFile, await labels.byHand(model));
    if (index && insights) named.set(index, { changes, properties });
    return properties;
  };
  const setOf = async (model: ServedModel, heads: string, corpus: string) => {
    // All heads need no names, which to find takes the corpus.
    if (/^all$/i.test(heads)) return parseComponents(heads, model.geometry);
    return parseWithProperties(heads, model.geometry, { properties: await headsOf(model, corpus) });
  };

  app.openapi(
    postRoute(
      "/api/explain",
      "Every component's share of an image's score",
      explainRequestSchema,
      explainResultSchema,
    ),
    async (context) => {
      const { image, texts, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const [look, embeddings] = await Promise.all([
        looks.look(model, image, caller),
        looks.texts(model, texts, caller),
      ]);
      return context.json(await explainSeen(model, look, texts, embeddings), 200);
    },
  );

  app.openapi(
    postRoute("/api/tokens", "What every head wrote at every token", tokensRequestSchema, tokensSchema),
    async (context) => {
      const { image, text, against, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const [look, probes] = await Promise.all([
        looks.look(model, image, caller),
        looks.probes(model, [text, ...against], caller),
      ]);
      return context.json(await everyHeadsTokens(model, look, { text, against }, probes), 200);
    },
  );

  app.openapi(
    postRoute("/api/segment", "Where some heads find each text", segmentRequestSchema, segmentResultSchema),
    async (context) => {
      const { image, texts, heads, mode, scale, corpus, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      if (mode === "contrast" && texts.length < 2) {
        throw new ClipInterpretError("REQUEST_INVALID", "a contrast needs two or more texts");
      }
      const set = await setOf(model, heads, corpus);
      const [look, probes] = await Promise.all([
        looks.look(model, image, caller),
        looks.probes(model, texts, caller),
      ]);
      const wanted = { set, written: heads, mode, scale };
      return context.json(await segmentSeen(model, look, { texts, probes }, wanted), 200);
    },
  );

  app.openapi(
    postRoute(
      "/api/words",
      "Which word of a text looks where: the score as a sum over words and patches",
      wordsRequestSchema,
      wordsResultSchema,
    ),
    async (context) => {
      const { image, text, heads, textHeads, corpus, pairs, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const set = await setOf(model, heads, corpus);
      const [look, parts] = await Promise.all([
        looks.look(model, image, caller),
        looks.words(model, text, textHeads, caller),
      ]);
      return context.json(await wordsSeen(model, look, parts, { set, written: heads, pairs }), 200);
    },
  );

  const onlyHeads = async (model: ServedModel, heads: string, corpus: string | undefined) => {
    requireDirections(model);
    const set =
      corpus === undefined ? parseComponents(heads, model.geometry) : await setOf(model, heads, corpus);
    if (set.mlps.length === 0) return set;
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "an MLP is no linear map: only heads are read from weights",
    );
  };

  app.openapi(
    postRoute(
      "/api/from-weights",
      "What heads can write, from their weights, in texts",
      fromWeightsRequestSchema,
      fromWeightsResultSchema,
    ),
    async (context) => {
      const { heads, corpus, ...asked } = context.req.valid("json");
      const { client, signal } = callerOf(context);
      const { model: id, ...options } = asked;
      const model = await models.load(id);
      const set = await onlyHeads(model, heads, corpus);
      const place = corpus === undefined ? {} : { index: (await corpora.index(corpus, model)).place };
      const asking = { model: model.place, set, options, ...place };
      const found = await weighings.run(client, signal, () => tasks.run("fromWeights", asking, { signal }));
      return context.json(found, 200);
    },
  );

  app.openapi(
    postRoute(
      "/api/fine-tune",
      "A model beside the one that it was fine-tuned from, head by head from their weights",
      fineTuneRequestSchema,
      fineTuneResultSchema,
    ),
    async (context) => {
      const { heads, directions, ...asked } = context.req.valid("json");
      const { client, signal } = callerOf(context);
      const [base, model] = [await models.load(asked.base), await models.load(asked.model)];
      const set = await onlyHeads(model, heads, undefined);
      const asking = { base: base.place, model: model.place, set, directions };
      const found = await weighings.run(client, signal, () => tasks.run("fineTune", asking, { signal }));
      return context.json(found, 200);
    },
  );

  app.openapi(
    postRoute(
      "/api/neighbors",
      "The images that some heads hold alike",
      neighborsRequestSchema,
      neighborsResultSchema,
    ),
    async (context) => {
      const { corpus, query, heads, k, scoring, includeSelf, seed, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const { place } = await corpora.index(corpus, model);
      const set = await setOf(model, heads, corpus);
      const prepared: Query =
        "text" in query
          ? { text: query.text, embedding: await looks.texts(model, [query.text], caller) }
          : withoutTokens(await looks.look(model, query.image, caller));
      const options = { k, ...(scoring && { scoring }), includeSelf, seed };
      const asking = { index: place, query: prepared, set: { name: heads, set }, options };
      const found = await searches.run(caller.client, caller.signal, () => asks.run("neighbors", asking));
      return context.json(found, 200);
    },
  );

  const knownMeans = new WeakMap<ShardedIndex, Promise<Float64Array[]>>();
  const meansOf = (index: ShardedIndex, place: IndexPlace) => {
    const known = knownMeans.get(index);
    if (known) return known;
    const means = asks.run("means", place);
    knownMeans.set(index, means);
    means.catch(() => knownMeans.delete(index));
    return means;
  };

  app.openapi(
    postRoute("/api/means", "How the average picture of a corpus scores", meansRequestSchema, meansSchema),
    async (context) => {
      const { corpus, texts, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const { index, place } = await corpora.index(corpus, model);
      const probes = await looks.probes(model, texts, caller);
      const [means, scores] = await searches.run(caller.client, caller.signal, () =>
        Promise.all([meansOf(index, place), asks.run("meanScores", { index: place, probes })]),
      );
      const found = averageScores(model, texts, probes, means, scores);
      const origin = await originOf({ model, index });
      return context.json({ origin, texts: found, ...(await truncatedIn(model, texts)) }, 200);
    },
  );

  app.openapi(
    postRoute(
      "/api/without",
      "An image's scores without some heads, beside as many random ones",
      withoutRequestSchema,
      withoutSchema,
    ),
    async (context) => {
      const { image, texts, heads, replacement, corpus, seed, ...asked } = context.req.valid("json");
      const caller = callerOf(context);
      const model = await models.load(asked.model);
      const over = replacement === "mean" ? await corpora.index(corpus, model) : undefined;
      const set = await setOf(model, heads, corpus);
      const [look, probes] = await Promise.all([
        looks.look(model, image, caller),
        looks.probes(model, texts, caller),
      ]);
      const means =
        over && (await searches.run(caller.client, caller.signal, () => meansOf(over.index, over.place)));
      const measuredOver = over ? { corpus, images: over.index.images.length } : null;
      const answer = await withoutSeen(
        model,
        look,
        { texts, probes },
        { set, name: heads },
        {
          ...{ replacement, means, seed, over: measuredOver },
        },
      );
      return context.json(answer, 200);
    },
  );

  const query = z.object({ model: z.string().max(200), corpus: z.string().max(60) });
  app.openapi(
    getRoute("/api/insights", "What each head follows, by the known factors of a corpus", insightsSchema, {
      query,
    }),
    async (context) => {
      const { corpus, ...asked } = context.req.valid("query");
      const { insights } = await insightsOf(await models.load(asked.model), corpus);
      if (insights) return context.json(insights, 200);
      throw new ClipInterpretError("CORPUS_NOT_READY", `the heads are not measured on "${corpus}" yet`);
    },
  );
  app.openapi(
    getRoute("/api/properties", "Names of sets of heads", propertiesSchema, { query }),
    async (context) => {
      const { corpus, ...asked } = context.req.valid("query");
      const properties = await headsOf(await models.load(asked.model), corpus);
      return context.json(propertiesSchema.parse({ properties }), 200);
    },
  );
};

/** What a search needs of a look: less to send to another thread. */
const withoutTokens = ({ image, decomposition }: Look): Query => {
  const { tokens: _, outputs: __, ...parts } = decomposition;
  return { image, decomposition: parts };
};
