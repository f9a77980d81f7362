import { LRUCache } from "lru-cache";
import type { z } from "zod";
import { withoutSeen } from "../analysis/ablation/without-seen.ts";
import { knowingHeads, openPoolShares, type PoolShares } from "../analysis/atlas/knowing-heads.ts";
import type { AtlasLabels } from "../analysis/atlas/labels.ts";
import { averageScores, meanScores } from "../analysis/explain/compared.ts";
import { explainSeen } from "../analysis/explain/explain.ts";
import { findNeighbors, type Query } from "../analysis/neighbors/neighbors.ts";
import { everyHeadsTokens } from "../analysis/segmentation/every-head.ts";
import { type SeenImage, segmentSeen } from "../analysis/segmentation/segmentation.ts";
import { checkInTab } from "../analysis/verify/tab.ts";
import { textPartsOf, wordsSeen } from "../analysis/words/words.ts";
import { meanOfEachHead } from "../corpus/means.ts";
import type { Search } from "../corpus/search.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import { sizeInBrowser } from "../image/web-decode.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { parseTextHeads } from "../model/components.ts";
import { truncatedIn } from "../model/notices.ts";
import { normalizeAll } from "../model/pixels.ts";
import { unitProbe } from "../model/probe.ts";
import {
  type Corpora,
  deviceRequestSchema,
  explainRequestSchema,
  type ImageInfo,
  meansRequestSchema,
  neighborsRequestSchema,
  type Properties,
  segmentRequestSchema,
  tokensRequestSchema,
  verifyRequestSchema,
  withoutRequestSchema,
  wordsRequestSchema,
} from "../results/app.ts";
import { atlasFindRequestSchema, type HeadLabels } from "../results/atlas.ts";
import { originOf } from "../results/origin.ts";
import type { TabCheckResult } from "../results/verify.ts";
import { describeModel } from "../server/model-detail.ts";
import { parseWithProperties } from "../server/named-sets.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { parseJson } from "../support/json.ts";
import { checkCancelled } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import { sharedCache } from "../support/shared.ts";
import type { TextPool } from "../text/pool.ts";
import type { Collections } from "./collections.ts";
import { knownAnswer, knownPictures, type PageFacts, pageOf, type Question } from "./facts.ts";
import type { TabGpu } from "./gpu.ts";
import type { OpenModels } from "./open-models.ts";

/** What the answers need of where they are given. */
export interface TabPlace {
  readonly facts: PageFacts;
  readonly models: OpenModels;
  readonly readFile: (address: string) => Promise<Uint8Array>;
  /** What models run in. */
  readonly runtime: (device: string) => Promise<Pick<TabCheckResult, "runtime" | "threads">>;
  readonly openIndex: (model: ClipModel, address: string) => Promise<Search<ShardedIndex>>;
  /** Pictures that the page did not come with. */
  readonly collections?: Collections;
  /** Another device that looks, and folders of one's own, may be computed on. */
  readonly gpu?: TabGpu;
}

/** Bytes of decompositions, and of pictures that were dropped in, that are kept. */
const LOOK_BYTES = 256e6;
const UPLOAD_BYTES = 512e6;
const MOST_INDEXES = 3;
const MOST_TEXTS_KEPT = 2000;

type Route = (body: unknown, query: URLSearchParams, signal?: AbortSignal) => Promise<unknown>;

/** Answers the questions of one tab, one at a time. */
export type Answer = (question: Question, signal?: AbortSignal) => Promise<unknown>;

/**
 * What answers in a tab instead of the server: the same questions, the same analyses, one model in memory. What takes long
 * or needs a disk is not answered there.
 */
export function createAnswers({
  facts,
  models,
  readFile,
  runtime,
  openIndex,
  collections,
  gpu,
}: TabPlace): Answer {
  const uploads = new LRUCache<string, Uint8Array>({
    maxSize: UPLOAD_BYTES,
    sizeCalculation: ({ length }) => Math.max(1, length),
  });
  const looks = new LRUCache<string, SeenImage>({ maxSize: LOOK_BYTES, sizeCalculation: bytesOf });
  const embeddings = new LRUCache<string, Float32Array>({ max: MOST_TEXTS_KEPT });
  const load = (name: string) => models.open(name);
  /** What is compared with an index is computed where that was: those that the page came with in no GPU. */
  const loadFor = async (name: string, corpus: string) => {
    const model = await load(name);
    return corpus.startsWith("own-") ? model : (gpu?.referenceOf(model) ?? model);
  };
  const indexes = sharedCache<Search<ShardedIndex>>(MOST_INDEXES);
  const means = keptByIndex<Float64Array[]>();
  const pools = keptByIndex<{ readonly pool: TextPool; readonly shares: PoolShares }>();
  const search = async (model: ClipModel, name: string, corpus: string) => {
    const collection = await collections?.find(corpus);
    if (collection) return collection.search(model, name);
    const key = `${corpus} ${name}`;
    const address = facts.indexes[key];
    if (address === undefined) throw notHere();
    return indexes.get(key, () => openIndex(model, address));
  };
  const meansOf = (model: ClipModel, index: ShardedIndex) =>
    means(index, () => meanOfEachHead(index, model.geometry));
  /** A pool of texts, and what heads over an index make of it: some seconds of work, once. */
  const poolOver = (model: ClipModel, name: string, index: ShardedIndex) => {
    const address = facts.pools[name];
    if (address === undefined) throw noAtlas();
    return pools(index, async () => {
      const pool = parseJson(await readFile(address), address) as TextPool;
      const embedded = await model.encodeTexts(pool.texts.map(({ text }) => text));
      return { pool, shares: await openPoolShares(model, index, embedded) };
    });
  };
  const setOf = (model: ClipModel, name: string, heads: string, corpus: string) => {
    const path = `/api/properties?${new URLSearchParams({ model: name, corpus })}`;
    const known = facts.answers[path] as Properties | undefined;
    return parseWithProperties(heads, model.geometry, known ?? propertiesOver(facts, name));
  };

  const find = async (image: string) => {
    const [place = "", id = ""] = image.split(":");
    const collection = await collections?.find(place);
    if (collection) return collection.picture(id);
    const picture = facts.pictures[image];
    const bytes = place === "upload" ? uploads.get(id) : picture && (await readFile(picture.address));
    if (!bytes) throw new ClipInterpretError("IMAGE_GONE", "this picture is not in the page any more");
    return { bytes, picture };
  };
  const describe = async (image: string): Promise<ImageInfo> => {
    const { bytes, picture } = await find(image);
    const { width, height } = await sizeInBrowser(bytes, { name: "the picture" });
    return {
      ...{ image, sha256: sha256Of(bytes), bytes: bytes.length, width, height },
      ...{ path: picture?.path ?? null, label: picture?.label ?? null, factors: picture?.factors ?? {} },
    };
  };
  const look = async (model: ClipModel, image: string): Promise<SeenImage> => {
    const { bytes, picture } = await find(image);
    const key = `${model.name} ${model.device} ${image}`;
    const known = looks.get(key);
    if (known) return known;
    const { rgb, ...shown } = await model.preprocess(bytes, { name: "the picture" });
    const { preprocess, vision } = model.config;
    const tokenLayers = Array.from({ length: vision.layers }, (_, layer) => layer);
    const seen: SeenImage = {
      image: { name: picture?.path ?? image, label: picture?.label ?? null, sha256: shown.sha256 },
      shown,
      decomposition: await model.decompose(normalizeAll([{ rgb }], preprocess), { tokenLayers }),
    };
    looks.set(key, seen);
    return seen;
  };
  const embed = async (model: ClipModel, texts: readonly string[]): Promise<Float32Array> => {
    const { embedDim } = model.config;
    const keyOf = (text: string) => `${model.name} ${text}`;
    const missing = [...new Set(texts)].filter((text) => !embeddings.has(keyOf(text)));
    const found = missing.length > 0 ? await model.encodeTexts(missing) : new Float32Array();
    const rows = new Map(missing.map((text, i) => [text, found.slice(i * embedDim, (i + 1) * embedDim)]));
    for (const [text, row] of rows) embeddings.set(keyOf(text), row);
    const all = new Float32Array(texts.length * embedDim);
    for (const [i, text] of texts.entries())
      all.set(rows.get(text) ?? embeddings.get(keyOf(text))!, i * embedDim);
    return all;
  };
  const probesOf = async (model: ClipModel, texts: readonly string[]) => {
    const all = await embed(model, texts);
    const { embedDim } = model.config;
    return texts.map((_, i) => unitProbe(all.subarray(i * embedDim, (i + 1) * embedDim)));
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
    "POST /api/images": async (body) => {
      const bytes = body as Uint8Array;
      const id = sha256Of(bytes);
      uploads.set(id, bytes);
      return describe(`upload:${id}`);
    },
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

/**
 * What a model's heads are known for from the pictures that the page came with: over others it was not measured how well they find
 * it.
 */
function propertiesOver({ answers }: PageFacts, model: string): Properties {
  const known = Object.entries(answers).flatMap(([path, answer]) => {
    const [place, query] = path.split("?");
    const isOfModel = place === "/api/properties" && new URLSearchParams(query).get("model") === model;
    return isOfModel ? (answer as Properties).properties : [];
  });
  const byName = new Map(known.reverse().map((one) => [one.name, { ...one, precision: null }]));
  return { properties: [...byName.values()] };
}

/** What follows from an index, for as long as that is open. */
function keptByIndex<T>() {
  const kept = new WeakMap<ShardedIndex, Promise<T>>();
  return (index: ShardedIndex, load: () => Promise<T>): Promise<T> => {
    const found = kept.get(index) ?? load();
    kept.set(index, found);
    found.catch(() => kept.delete(index));
    return found;
  };
}

/** What heads are called, as the server gave it. */
function labelsOf({ answers }: PageFacts, model: string): AtlasLabels {
  const known = answers[`/api/labels?${new URLSearchParams({ model })}`] as HeadLabels | undefined;
  return Object.fromEntries((known?.heads ?? []).map(({ name, label }) => [name, label]));
}

/** What is known of a model that the page did not come with: nothing was indexed with it, named or measured. */
function withoutIndex(facts: PageFacts, place: string, query: URLSearchParams): unknown {
  if (place === "/api/labels") return { heads: [] };
  if (place === "/api/properties") return { properties: [] };
  if (place !== "/api/corpora") return undefined;
  const [, some] = Object.entries(facts.answers).find(([path]) => path.startsWith("/api/corpora?")) ?? [];
  const { corpora } = (some as Corpora | undefined) ?? { corpora: [] };
  return {
    corpora: corpora.map((corpus) => {
      const isIndexed = facts.indexes[`${corpus.name} ${query.get("model")}`] !== undefined;
      return isIndexed ? corpus : { ...corpus, indexed: false, searchable: 0, version: null };
    }),
  } satisfies Corpora;
}

const notHere = () =>
  new ClipInterpretError("CORPUS_NOT_READY", "this page has no index of pictures", {
    hint: "Install clip-interpret and run `clip-interpret serve`: there it is searched, measured and compared.",
  });

const noAtlas = () =>
  new ClipInterpretError("CORPUS_NOT_READY", "this page has no atlas of this model over these pictures", {
    hint: "Choose the pictures that came with the page, and its first model; `clip-interpret serve` makes an atlas of any.",
  });

function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ClipInterpretError("REQUEST_INVALID", reasonOf(result.error));
}

function bytesOf({ decomposition: { z, embedding, mlps, tokens } }: SeenImage): number {
  let bytes = z.byteLength + embedding.byteLength + mlps.byteLength;
  for (const { attention, values } of tokens.layers.values())
    bytes += attention.byteLength + values.byteLength;
  return bytes;
}
