import { readFile, realpath } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIndex } from "../corpus/build.ts";
import {
  type Index,
  openManifest,
  type ReadOptions,
  readIndex,
  requireModelOf,
} from "../corpus/open-index.ts";
import { findMissing, missingPictures } from "../corpus/root.ts";
import { imageId } from "../corpus/rows.ts";
import { createSearch, type Search } from "../corpus/search.ts";
import { type Source, type SourceImage, scanSource } from "../corpus/source.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isThere } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import { once, sharedCache } from "../support/shared.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../world/corpus.ts";
import type { ServedModel, ServedModels } from "./models.ts";

/** A collection of images that was registered with the server. Nothing outside it is ever read for a client. */
export interface CorpusSpec {
  /** Part of image references: lower case, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  /** Where its images are named; undefined before it is made. */
  source(): Promise<Source | undefined>;
  /** Makes it, for one that is generated. */
  make?(work: WorkOptions): Promise<void>;
  /** An index that is there already. */
  readonly index?: string;
}

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

/** What every server has: the generated demo corpus, two dozen example scenes, and eight photographs. */
export function builtInCorpora(environment = process.env, images: number = DEMO.images): CorpusSpec[] {
  // Planning samples every scene, which takes a moment, and gives the same each time.
  const plan = once(() => planCorpus({ ...DEMO, indices: Array.from({ length: images }, (_, i) => i) }));
  const folder = async () => worldFolder(await plan(), environment);
  return [
    {
      name: "demo",
      title: `${images.toLocaleString("en")} generated scenes`,
      source: async () => {
        const list = join(await folder(), "scenes.jsonl");
        return (await isThere(list)) ? scanSource(list) : undefined;
      },
      make: async (work) => {
        await writeCorpus(await folder(), await plan(), work);
      },
    },
    { name: "scenes", title: "24 example scenes", source: () => scanSource(join(EXAMPLES, "scenes")) },
    { name: "photos", title: "8 photographs", source: () => scanSource(join(EXAMPLES, "photos")) },
  ];
}

/**
 * An index that a user registers; its images are those that it lists. Where they are not found there is a warning.
 * @throws `INDEX_INVALID`; `INDEX_MISMATCH` when `root` does not hold them
 */
export async function indexedCorpus(folder: string, options: ReadOptions = {}): Promise<CorpusSpec> {
  const opened = await readIndex(folder, options);
  const { images, manifest, folder: index } = opened;
  const missing = missingPictures(opened, await findMissing(manifest.root, images));
  if (missing) options.report?.({ type: "warning", code: "IMAGES_MISSING", message: missing });
  const name = basename(index)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return {
    name: name || "index",
    title: basename(index),
    index,
    source: async () => ({ root: manifest.root, images }),
  };
}

/** Sees that a model that can be asked for made an index. @throws `INDEX_INVALID`; `INDEX_MISMATCH` when none did */
export async function requireServed(folder: string, models: ServedModels): Promise<void> {
  const { manifest } = await openManifest(folder);
  const made = manifest.model;
  for (const id of new Set([...models.given, made.name])) {
    const model = await models.load(id).catch((error) => {
      if (models.given.includes(id)) throw error;
    });
    if (!model || (await model.weightsHash()) !== made.weights) continue;
    return requireModelOf({ manifest, folder }, model);
  }
  throw new ClipInterpretError(
    "INDEX_MISMATCH",
    `the index ${folder} was made with ${made.name}, which is not served`,
    {
      hint: "Name it with a further --model, or leave --model out: an index brings its model.",
    },
  );
}

/** A corpus that is there, with its images by id. */
export interface OpenCorpus {
  readonly root: string;
  readonly images: readonly (SourceImage & { readonly id: string })[];
  readonly byId: ReadonlyMap<string, SourceImage>;
}

/** The server's corpora and what they were indexed into. */
export interface Corpora {
  readonly specs: readonly CorpusSpec[];
  /** @throws `NOT_FOUND` */
  spec(name: string): CorpusSpec;
  /** @throws `NOT_FOUND`; `CORPUS_NOT_READY` before it is made */
  open(name: string): Promise<OpenCorpus>;
  /** The bytes of one image. @throws `NOT_FOUND`, also for a file that lies elsewhere */
  read(name: string, id: string): Promise<{ bytes: Buffer; row: SourceImage }>;
  /** Whether a model can search it. */
  isIndexed(name: string, model: ServedModel): Promise<boolean>;
  /** @throws `CORPUS_NOT_READY` */
  search(name: string, model: ServedModel): Promise<Search>;
  /** Makes what is missing: the images, then the index. */
  prepare(name: string, model: ServedModel, work: WorkOptions): Promise<void>;
}

/** Open indexes, each with a cache of its own of up to 2 GB. */
const MOST_SEARCHES = 8;

/** Opens the server's corpora. @param cache where indexes are made */
export function createCorpora(specs: readonly CorpusSpec[], cache: string): Corpora {
  const opened = sharedCache<OpenCorpus>(specs.length);
  const searches = sharedCache<Search>(MOST_SEARCHES);

  const corpora: Corpora = {
    specs,
    spec(name) {
      const spec = specs.find((one) => one.name === name);
      if (!spec) throw new ClipInterpretError("NOT_FOUND", `the server has no corpus "${name}"`);
      return spec;
    },
    open: (name) =>
      opened.get(name, async () => {
        const source = await corpora.spec(name).source();
        if (!source) throw notReady(`the corpus "${name}" is not made yet`);
        const images = source.images.map((image) => ({ ...image, id: imageId(image.path) }));
        return { root: source.root, images, byId: new Map(images.map((image) => [image.id, image])) };
      }),
    async read(name, id) {
      const { root, byId } = await corpora.open(name);
      const row = byId.get(id);
      if (!row) throw new ClipInterpretError("NOT_FOUND", `the corpus "${name}" has no image ${id}`);
      return { row, bytes: await readInside(root, row.path) };
    },
    isIndexed: (name, model) =>
      corpora.search(name, model).then(
        () => true,
        () => false,
      ),
    search: (name, model) =>
      searches.get(`${name} ${model.id}`, async () => {
        const index = await openIndexOf(corpora, name, model, cache);
        return createSearch({ ...index, name }, model.geometry, model.matmul);
      }),
    async prepare(name, model, work) {
      const spec = corpora.spec(name);
      if (!(await spec.source())) await spec.make?.(work);
      if (await corpora.isIndexed(name, model)) return;
      const { root, images } = await corpora.open(name);
      const folder = await indexFolder(root, model, cache);
      // Small batches: between two of them requests are answered. The numbers are the same in any batch.
      await buildIndex(model, { root, images }, folder, { batch: 4, prune: true, ...work });
    },
  };
  return corpora;
}

const notReady = (message: string) => new ClipInterpretError("CORPUS_NOT_READY", message);

/** An index in the cache is named by where its images lie and by the weights. */
async function indexFolder(root: string, model: ServedModel, cache: string): Promise<string> {
  const place = sha256Of(root).slice(0, 12);
  const weights = (await model.weightsHash()).slice(0, 12);
  return join(cache, "indexes", `${place}-${weights}-${model.precision}`);
}

async function openIndexOf(
  corpora: Corpora,
  name: string,
  model: ServedModel,
  cache: string,
): Promise<Index> {
  const spec = corpora.spec(name);
  const { root, images } = await corpora.open(name);
  if (spec.index) {
    const index = await readIndex(spec.index);
    const fits = await requireModelOf(index, model).then(
      () => true,
      () => false,
    );
    if (fits) return index;
  }
  const message = `the corpus "${name}" is not indexed with ${model.id} yet`;
  const folder = await indexFolder(root, model, cache);
  if (!(await isThere(join(folder, "manifest.json")))) throw notReady(message);
  const index = await readIndex(folder);
  if (index.images.length + index.rejected.length + (index.unread?.length ?? 0) < images.length)
    throw notReady(message);
  await requireModelOf(index, model);
  return index;
}

/** Reads a file that lies below a root, links resolved; anything else is not there. */
async function readInside(root: string, path: string): Promise<Buffer> {
  const missing = () => new ClipInterpretError("NOT_FOUND", "the file of this image is not there any more");
  try {
    const base = await realpath(root);
    const file = await realpath(join(base, path));
    if (!file.startsWith(base.endsWith(sep) ? base : base + sep)) throw missing();
    return await readFile(file);
  } catch {
    throw missing();
  }
}
