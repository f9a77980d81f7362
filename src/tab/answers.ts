import type { z } from "zod";
import { withoutSeen } from "../analysis/ablation/without-seen.ts";
import { knowingHeads } from "../analysis/atlas/knowing-heads.ts";
import { averageScores, meanScores } from "../analysis/explain/compared.ts";
import { explainSeen } from "../analysis/explain/explain.ts";
import { findNeighbors, type Query } from "../analysis/neighbors/neighbors.ts";
import { everyHeadsTokens } from "../analysis/segmentation/every-head.ts";
import { segmentSeen } from "../analysis/segmentation/segmentation.ts";
import { checkInTab } from "../analysis/verify/tab.ts";
import { textPartsOf, wordsSeen } from "../analysis/words/words.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { parseTextHeads } from "../model/components.ts";
import { truncatedIn } from "../model/notices.ts";
import {
  type Corpora,
  deviceRequestSchema,
  explainRequestSchema,
  meansRequestSchema,
  neighborsRequestSchema,
  type Properties,
  segmentRequestSchema,
  tokensRequestSchema,
  verifyRequestSchema,
  withoutRequestSchema,
  wordsRequestSchema,
} from "../results/app.ts";
import { atlasFindRequestSchema } from "../results/atlas.ts";
import { originOf } from "../results/origin.ts";
import type { TabCheckResult } from "../results/verify.ts";
import { describeModel } from "../server/model-detail.ts";
import { parseWithProperties } from "../server/named-sets.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import {
  knownAnswer,
  knownPictures,
  labelsOf,
  pageOf,
  propertiesOver,
  type Question,
  withoutIndex,
} from "./facts.ts";
import type { TabGpu } from "./gpu.ts";
import { createLooks } from "./looks.ts";
import type { OpenModels } from "./open-models.ts";
import { createSearches, type IndexSources, noAtlas, notHere } from "./searches.ts";

/** What the answers need of where they are given. */
export interface TabPlace extends IndexSources {
  readonly models: OpenModels;
  /** What models run in. */
  readonly runtime: (device: string) => Promise<Pick<TabCheckResult, "runtime" | "threads">>;
  /** Another device that looks, and folders of one's own, may be computed on. */
  readonly gpu?: TabGpu;
}

type Route = (body: unknown, query: URLSearchParams, signal?: AbortSignal) => Promise<unknown>;

/** Answers the questions of one tab, one at a time. */
export type Answer = (question: Question, signal?: AbortSignal) => Promise<unknown>;

/**
 * What answers in a tab instead of the server: the same questions, the same analyses, one model in memory. What takes long
 * or needs a disk is not answered there.
 */
export function createAnswers(tab: TabPlace): Answer {
  const { facts, models, readFile, runtime, collections, gpu } = tab;
  const { find, describe, upload, look, embed, probesOf } = createLooks(tab);
  const { search, meansOf, poolOver } = createSearches(tab);
  const load = (name: string) => models.open(name);
  /** What is compared with an index is computed where that was: those that the page came with in no GPU. */
  const loadFor = async (name: string, corpus: string) => {
    const model = await load(name);
    return corpus.startsWith("own-") ? model : (gpu?.referenceOf(model) ?? model);
  };
  const setOf = (model: ClipModel, name: string, heads: string, corpus: string) => {
    const path = `/api/properties?${new URLSearchParams({ model: name, corpus })}`;
    const known = facts.answers[path] as Properties | undefined;
    return parseWithProperties(heads, model.geometry, known ?? propertiesOver(facts, name));
  };

  const routes: Readonly<Record<string, Route>> = {
    "GET /api/model": async (_, query) => {
      const name = query.get("name") ?? "";
      return describeModel({ ...(await load(name)), id: name });
    },
    "POST /api/verify": async (body) => {
      const model = await load(parsed(verifyRequestSchema, body).model);
      const shown = [];
      for (const file of await knownPictures(facts, readFile)) shown.push(await model.preprocess(file));
      return checkInTab(model, shown, await runtime(model.device), gpu?.referenceOf(model));
    },
    "POST /api/device": async (body) => {
      const { device } = parsed(deviceRequestSchema, body);
      await models.closeAll();
      gpu?.use(device === "webgpu");
      return {};
    },
    "DELETE /api/model": async (_, query) => {
      await models.close(query.get("name") ?? "");
      return {};
    },
    "POST /api/images": (body) => upload(body as Uint8Array),
    "POST /api/explain": async (body) => {
      const asked = parsed(explainRequestSchema, body);
      const model = await load(asked.model);
      const seen = await look(model, asked.image);
      return explainSeen(model, seen, asked.texts, await embed(model, asked.texts));
    },
    "POST /api/tokens": async (body) => {
      const { image, text, against, ...asked } = parsed(tokensRequestSchema, body);
      const model = await load(asked.model);
      const seen = await look(model, image);
      return everyHeadsTokens(model, seen, { text, against }, await probesOf(model, [text, ...against]));
    },
    "POST /api/segment": async (body) => {
      const { image, texts, heads, mode, scale, corpus, ...asked } = parsed(segmentRequestSchema, body);
      if (mode === "contrast" && texts.length < 2)
        throw new ClipInterpretError("REQUEST_INVALID", "a contrast needs two or more texts");
      const model = await load(asked.model);
      const set = setOf(model, asked.model, heads, corpus);
      const seen = await look(model, image);
      const probes = await probesOf(model, texts);
      return segmentSeen(model, seen, { texts, probes }, { set, written: heads, mode, scale });
    },
    "POST /api/words": async (body) => {
      const { image, text, heads, textHeads, pairs, corpus, ...asked } = parsed(wordsRequestSchema, body);
      const model = await load(asked.model);
      const set = setOf(model, asked.model, heads, corpus);
      const textSet = parseTextHeads(textHeads, await model.textGeometry());
      const seen = await look(model, image);
      const parts = await textPartsOf(model, text, { textSet, writtenText: textHeads });
      return wordsSeen(model, seen, parts, { set, written: heads, pairs });
    },
    "POST /api/without": async (body) => {
      const { image, texts, heads, replacement, seed, corpus, ...asked } = parsed(withoutRequestSchema, body);
      const model = await (replacement === "mean" ? loadFor(asked.model, corpus) : load(asked.model));
      const index = replacement === "mean" ? (await search(model, asked.model, corpus)).index : undefined;
      const set = setOf(model, asked.model, heads, corpus);
      const seen = await look(model, image);
      const probes = await probesOf(model, texts);
      const over = index ? { corpus, images: index.images.length } : null;
      const how = { replacement, seed, over, means: index && (await meansOf(model, index)) };
      return withoutSeen(model, seen, { texts, probes }, { set, name: heads }, how);
    },
    "POST /api/neighbors": async (body) => {
      const { corpus, query, heads, k, scoring, includeSelf, seed, ...asked } = parsed(
        neighborsRequestSchema,
        body,
      );
      const model = await loadFor(asked.model, corpus);
      const found = await search(model, asked.model, corpus);
      const set = setOf(model, asked.model, heads, corpus);
      const prepared: Query =
        "text" in query
          ? { text: query.text, embedding: await embed(model, [query.text]) }
          : await look(model, query.image);
      const options = { k, ...(scoring && { scoring }), includeSelf, seed };
      return findNeighbors(model, found, prepared, { name: heads, set }, options);
    },
    "POST /api/atlas/find": async (body, _, signal) => {
      const { corpus, text, ...asked } = parsed(atlasFindRequestSchema, body);
      const model = await loadFor(asked.model, corpus);
      const { index } = await search(model, asked.model, corpus);
      const known = await poolOver(model, asked.model, index);
      const labels = labelsOf(facts, asked.model);
      const embedding = await embed(model, [text]);
      return knowingHeads(model, index, { ...known, text, embedding, labels }, { ...(signal && { signal }) });
    },
    "POST /api/means": async (body) => {
      const { corpus, texts, ...asked } = parsed(meansRequestSchema, body);
      const model = await loadFor(asked.model, corpus);
      const found = await search(model, asked.model, corpus);
      const probes = await probesOf(model, texts);
      const [each, scores] = [await meansOf(model, found.index), await meanScores(found, model, probes)];
      const origin = await originOf({ model, index: found.index });
      const averages = averageScores(model, texts, probes, each, scores);
      return { origin, texts: averages, ...(await truncatedIn(model, texts)) };
    },
  };

  /** What is said of pictures that the page did not come with. */
  const ofCollections = async (question: Question, place: string, query: URLSearchParams) => {
    if (!collections) return undefined;
    const answer = await collections.answer(question);
    if (answer !== undefined || question.method !== "GET") return answer;
    const model = query.get("model") ?? "";
    if (place === "/api/corpora") {
      const own = await Promise.all((await collections.list()).map((one) => one.entry(model)));
      const known = knownAnswer(facts, question) ?? withoutIndex(facts, place, query);
      return { corpora: [...own, ...(known as Corpora).corpora] };
    }
    const [, corpus = query.get("corpus") ?? ""] = /^\/api\/corpora\/([^/]+)\/images$/.exec(place) ?? [];
    const collection = await collections.find(corpus);
    if (!collection) return undefined;
    if (place.endsWith("/images")) return collection.images(pageOf(query));
    return place === "/api/properties" ? propertiesOver(facts, model) : undefined;
  };

  const answer: Answer = async ({ method, path, body }, signal) => {
    checkCancelled(signal);
    const [place = "", search = ""] = path.split("?");
    const query = new URLSearchParams(search);
    const known =
      (await ofCollections({ method, path, body }, place, query)) ?? knownAnswer(facts, { method, path });
    if (known !== undefined) return known;
    const without = method === "GET" ? withoutIndex(facts, place, query) : undefined;
    if (without !== undefined) return without;
    const route = routes[`${method} ${place}`];
    if (route) return route(body, query, signal);
    const [, image, file] = /^\/api\/images\/([^/]+)(\/file)?$/.exec(place) ?? [];
    if (method === "GET" && image !== undefined) {
      const name = decodeURIComponent(image);
      return file ? (await find(name)).bytes : describe(name);
    }
    throw place.startsWith("/api/atlas") ? noAtlas() : notHere();
  };
  if (!gpu) return answer;
  return async (question, signal) => {
    try {
      return await answer(question, signal);
    } catch (error) {
      const { model } = (question.body ?? {}) as { readonly model?: string };
      if (model === undefined || !gpu.failed(model, error)) throw error;
      return answer(question, signal);
    }
  };
}

function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ClipInterpretError("REQUEST_INVALID", reasonOf(result.error));
}
