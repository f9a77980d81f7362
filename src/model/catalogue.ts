import { z } from "zod";
import { readsTexts } from "../checkpoint/model-config.ts";
import { findCached, listCached } from "../hub/cache.ts";
import { describeModel } from "../hub/describe.ts";
import { cacheFolder } from "../hub/environment.ts";
import { findTokenizer } from "../hub/find-tokenizer.ts";
import { KNOWN_MODELS, type KnownModel } from "../hub/known-models.ts";
import { chooseFiles, isIndex, type ModelFiles, readParts } from "../hub/model-files.ts";
import { fileIn } from "../support/disk-paths.ts";
import type { Environment } from "../support/environment.ts";
import { namesIn, sizeOf } from "../support/files.ts";
import { EMBEDDED_MODELS } from "./embedded.ts";
import { locateModel } from "./registry.ts";

const size = z.int().min(1).nullable();

/** A model that can be named: what it is and where. `null` is what is not known before it is fetched. */
export const catalogueEntrySchema = z.strictObject({
  name: z.string(),
  source: z.enum(["embedded", "hub", "folder"]),
  hubId: z.string().nullable(),
  layers: size,
  heads: size,
  patch: size,
  imageSize: size,
  trainedOn: z.string().nullable(),
  licence: z.string().nullable(),
  megabytes: z.number().min(0).nullable().describe("of the weights, in 10^6 bytes"),
  approximate: z.boolean().describe("whether the size is an estimate: four bytes a parameter"),
  paper: z.boolean().describe("one of the six models of the paper"),
  present: z.boolean(),
  texts: z
    .boolean()
    .nullable()
    .describe("whether its tokenizer is here too; without it only images can be used; null: not known"),
  folder: z.string().nullable(),
});
/** A model that can be named. */
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/**
 * Lists every model that can be named: the embedded ones, those known on the hub, and what else the cache holds.
 *
 * @example
 * ```ts
 * import { listModels } from "clip-interpret";
 *
 * const [first] = (await listModels()).filter(({ present }) => present);
 * console.log(first.name, first.layers, first.heads); // → emoji-4x128-p8 4 4
 * ```
 */
export async function listModels(environment: Environment = process.env): Promise<CatalogueEntry[]> {
  const cache = cacheFolder(environment);
  const listed = new Set(KNOWN_MODELS.map(({ hubId }) => hubId.toLowerCase()));
  const others = (await listCached(cache)).filter(({ hubId }) => !listed.has(hubId.toLowerCase()));
  return Promise.all([
    ...EMBEDDED_MODELS.map(embeddedEntry),
    ...KNOWN_MODELS.map((model) => knownEntry(model, cache)),
    ...others.map(async ({ hubId, folder }) => ({
      ...UNKNOWN,
      ...(await readFacts(folder, hubId)),
      name: hubId,
      hubId,
    })),
  ]);
}

const UNKNOWN = {
  source: "hub",
  hubId: null,
  layers: null,
  heads: null,
  patch: null,
  imageSize: null,
  trainedOn: null,
  licence: null,
  megabytes: null,
  approximate: false,
  paper: false,
  present: false,
  texts: null,
  folder: null,
} as const;

async function embeddedEntry(name: (typeof EMBEDDED_MODELS)[number]): Promise<CatalogueEntry> {
  const { folder } = await locateModel(name);
  const facts = await readFacts(folder, name);
  return {
    ...UNKNOWN,
    ...facts,
    name,
    source: "embedded",
    licence: "MIT",
    trainedOn: "generated emoji scenes",
  };
}

async function knownEntry(model: KnownModel, cache: string): Promise<CatalogueEntry> {
  const { approximateMegabytes, ...facts } = model;
  const known = { ...UNKNOWN, ...facts, megabytes: approximateMegabytes, approximate: true };
  const cached = await findCached(cache, model.hubId);
  return cached ? { ...known, ...(await readFacts(cached.folder, model.name)) } : known;
}

/** A model in a folder, under a name that it is listed by. @param known what its config is read as */
export const folderEntry = async (name: string, folder: string, known: string): Promise<CatalogueEntry> => ({
  ...UNKNOWN,
  ...(await readFacts(folder, known)),
  ...{ name, source: "folder" },
});

/** What a folder itself says. A config that cannot be read costs its facts, not the list. */
async function readFacts(folder: string, name: string): Promise<Partial<CatalogueEntry>> {
  const files = chooseFiles(new Set(await namesIn(folder)));
  if (!files) return {};
  const weights = {
    present: true,
    folder,
    megabytes: await weighMegabytes(folder, files),
    approximate: false,
  };
  try {
    // Preprocessing has no part in what is listed, and need not be readable for it.
    const { config, tokenizerName } = await describeModel(folder, { ...files, preprocessors: [] }, name);
    const { layers, heads, patchSize: patch, imageSize } = config.vision;
    const { text } = config;
    const texts =
      readsTexts(text) &&
      (await findTokenizer({ folder, vocabSize: text.vocabSize, tokenizerName })) !== undefined;
    return { ...weights, layers, heads, patch, imageSize, texts };
  } catch {
    return weights;
  }
}

async function weighMegabytes(folder: string, { weights }: ModelFiles): Promise<number> {
  const parts = isIndex(weights) ? await readParts(fileIn(folder, weights)) : [weights];
  const sizes = await Promise.all(parts.map((part) => sizeOf(fileIn(folder, part))));
  return sizes.reduce<number>((total, size = 0) => total + size, 0) / 1e6;
}
