import { readdir, readFile, realpath, rm } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { requireModelOf } from "../corpus/manifest.ts";
import { versionOf } from "../corpus/open-index.ts";
import { openManifest, openShards } from "../corpus/open-shards.ts";
import { insideOf, readPicture } from "../corpus/picture.ts";
import { findMissing, missingPictures, spread } from "../corpus/root.ts";
import { imageId } from "../corpus/rows.ts";
import type { ReadOptions } from "../corpus/sharded-index.ts";
import { everyRow, type ShardedIndex } from "../corpus/sharded-index.ts";
import { type Source, type SourceImage, scanSource } from "../corpus/source.ts";
import { isOfStore } from "../corpus/store.ts";
import { isStoreAddress } from "../corpus/store-at.ts";
import { packaged } from "../support/disk-paths.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isThere } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import { once, sharedCache } from "../support/shared.ts";
import { slugOf } from "../support/slug.ts";
import { DEMO } from "../world/corpus.ts";
import type { ServedModel, ServedModels } from "./models.ts";
import type { CorpusMemory } from "./own-corpora.ts";
import { isInside } from "./roots.ts";
import type { TaskRunner } from "./threads/task-runner.ts";
import type { IndexPlace, WorldPlace } from "./threads/tasks.ts";

/** A collection of images that was registered with the server. Nothing outside it is ever read for a client. */
export interface CorpusSpec {
  /** Part of image references: lower case, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  /** Where its images are named, unless it is generated or an index names them. */
  source?(): Promise<Source>;
  /** One that is generated. */
  readonly world?: WorldPlace;
  /** An index that is there already, and where its images lie now if not where it says. */
  readonly index?: string;
  readonly root?: string | undefined;
  /** Whether a page added it. */
  readonly own?: boolean;
}

const EXAMPLES = packaged("examples/");

/** What every server has: the generated demo corpus, two dozen example scenes, and eight photographs. */
export function builtInCorpora(environment = process.env, images: number = DEMO.images): CorpusSpec[] {
  return [
    {
      name: "demo",
      title: `${images.toLocaleString("en")} generated scenes`,
      world: { images, cache: ownCacheFolder(environment) },
    },
    { name: "scenes", title: "24 example scenes", source: () => scanSource(join(EXAMPLES, "scenes")) },
    { name: "photos", title: "8 photographs", source: () => scanSource(join(EXAMPLES, "photos")) },
  ];
}

/**
 * An index that a user registers; its images are those that it lists. Where they are not found, they are looked for in
 * `roots`, and if they are not there either there is a warning.
 * @throws `INDEX_INVALID`
 */
export async function indexedCorpus(
  folder: string,
  { roots = [], report }: Pick<ReadOptions, "report"> & { readonly roots?: readonly string[] } = {},
): Promise<CorpusSpec> {
  const opened = await openShards(folder, { report });
  const { manifest, folder: index } = opened;
  const images = await opened.rows(spread(everyRow(opened)));
  const spec = { name: slugOf(basename(index)) || "index", title: basename(index), index };
  const missing = missingPictures(opened, await findMissing(manifest.root, images));
  if (!missing) return spec;
  for (const root of roots) {
    const found = await openShards(folder, { root }).catch(() => undefined);
    if (found) return { ...spec, root: found.manifest.root };
  }
  report?.({ type: "warning", code: "IMAGES_MISSING", message: missing });
  return spec;
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
  readonly images: { readonly length: number };
  /** Images by their places, those that there are. */
  rows(places: readonly number[]): Promise<CorpusImage[]>;
  /** @returns undefined where the corpus has no such image */
  find(id: string): Promise<CorpusImage | undefined>;
}

/** An image of a corpus. */
export type CorpusImage = SourceImage & { readonly id: string };

/** An index of a corpus by a model. */
export interface CorpusIndex {
  readonly place: IndexPlace;
  /** One object as long as the index stays as it is. */
  readonly index: ShardedIndex;
  /** Changes with it. */
  readonly version: string;
  /** Whether every image of the corpus is in it. */
  readonly complete: boolean;
}

/** The server's corpora and what they were indexed into. */
export interface Corpora {
  list(): readonly CorpusSpec[];
  /** @throws `NOT_FOUND` */
  spec(name: string): CorpusSpec;
  /** @throws `NOT_FOUND`; `CORPUS_NOT_READY` before it is made */
  open(name: string): Promise<OpenCorpus>;
  /** The bytes of one image. @throws `NOT_FOUND`, also for a file that lies elsewhere */
  read(name: string, id: string): Promise<{ bytes: Buffer; row: SourceImage }>;
  /**
   * The index of a corpus by a model, as it is now: while it is being made, what is finished of it.
   * @throws `CORPUS_NOT_READY`
   */
  index(name: string, model: ServedModel): Promise<CorpusIndex>;
  /** Makes what is missing: the images, then the index. */
  prepare(name: string, model: ServedModel, work: WorkOptions): Promise<void>;
  /** The one that is searched before anything is chosen. */
  defaultName(): string;
  /** @throws `NOT_FOUND` */
  setDefault(name: string): Promise<void>;
  /** Adds a folder of pictures, or finds it among those that were added. @param root nothing outside of it is read */
  add(folder: string, root: string): Promise<CorpusSpec>;
  /** Forgets a corpus that was added, and removes its indexes; never its pictures. @throws `NOT_FOUND`, `CORPUS_FIXED` */
  remove(name: string): Promise<void>;
}

/** What corpora are kept and made with. */
export interface CorporaOptions {
  /** Where indexes are made. */
  readonly cache: string;
  readonly tasks: TaskRunner;
  readonly memory: CorpusMemory;
}

/** Open indexes. */
const MOST_INDEXES = 8;
const MOST_CORPORA = 64;

/** Opens the server's corpora. @param given those that are not added in a page, first what a user named */
export function createCorpora(
  given: readonly CorpusSpec[],
  { cache, tasks, memory }: CorporaOptions,
): Corpora {
  const open = sharedCache<OpenCorpus>(MOST_CORPORA);
  const indexes = sharedCache<ShardedIndex | undefined>(MOST_INDEXES);
  const worlds = new Map(
    given.flatMap(({ name, world }) =>
      world ? [[name, once(() => tasks.run("findWorld", world))] as const] : [],
    ),
  );
  const specs = (): CorpusSpec[] => {
    const [index, rest] = [given.filter((one) => one.index), given.filter((one) => !one.index)];
    return distinct([...index, ...memory.corpora().map(ownSpec), ...rest]);
  };

  /** Where its images are named; undefined before they are made. */
  const sourceOf = async ({ name, source, world }: CorpusSpec): Promise<Source | undefined> => {
    if (!world) return source?.();
    const list = join(await worlds.get(name)!(), "scenes.jsonl");
    return (await isThere(list)) ? scanSource(list) : undefined;
  };

  /** Reads an index, if it is there and a model made it. */
  const read = (place: IndexPlace, stamp: string, model: ServedModel) =>
    indexes.get(JSON.stringify([place, stamp, model.id]), async () => {
      const index = await openShards(place.folder, { root: place.root });
      const fits = await requireModelOf(index, model).then(
        () => true,
        () => false,
      );
      return fits ? { ...index, name: place.name } : undefined;
    });

  const corpora: Corpora = {
    list: specs,
    spec(name) {
      const spec = specs().find((one) => one.name === name);
      if (!spec) throw new ClipInterpretError("NOT_FOUND", `the server has no corpus "${name}"`);
      return spec;
    },
    async open(name) {
      const spec = corpora.spec(name);
      const { index } = spec;
      const stamp = index === undefined ? "" : await stampOf(index);
      return open.get(JSON.stringify([name, stamp]), async () => {
        if (index !== undefined) return imagesOfIndex(await openShards(index, { root: spec.root }));
        const source = await sourceOf(spec);
        if (!source) throw notReady(`the corpus "${name}" is not made yet`);
        return imagesOfSource(source);
      });
    },
    async read(name, id) {
      const { root, find } = await corpora.open(name);
      const row = await find(id);
      if (!row) throw new ClipInterpretError("NOT_FOUND", `the corpus "${name}" has no image ${id}`);
      return { row, bytes: await readInside(root, row.path) };
    },
    async index(name, model) {
      const spec = corpora.spec(name);
      const { root, images } = await corpora.open(name);
      const made = { folder: await indexFolder(root, model, cache), whole: images.length };
      const given = spec.index === undefined ? [] : [{ folder: spec.index, root: spec.root, whole: 0 }];
      for (const { whole, ...where } of [...given, made]) {
        const place: IndexPlace = { model: model.place, name, ...where };
        const stamp = await stampOf(place.folder);
        const index = stamp && (await read(place, stamp, model));
        if (!index || index.images.length === 0) continue;
        const { rejected, unread = [] } = index;
        const complete = index.images.length + rejected.length + unread.length >= whole;
        return { place, index, complete, version: sha256Of(stamp).slice(0, 12) };
      }
      throw notReady(`the corpus "${name}" is not indexed with ${model.id} yet`);
    },
    async prepare(name, model, work) {
      const spec = corpora.spec(name);
      if (spec.world && !(await sourceOf(spec))) await tasks.run("makeWorld", spec.world, work);
      // What was added to a folder since it was looked through.
      if (spec.index === undefined) open.delete(JSON.stringify([name, ""]));
      const { complete } = await corpora.index(name, model).catch(() => ({ complete: false }));
      if (complete && !spec.own) return;
      const { root, ...opened } = await corpora.open(name);
      const images = await opened.rows(everyRow(opened));
      const folder = await indexFolder(root, model, cache);
      await tasks.run("index", { model: model.place, source: { root, images }, folder }, work);
    },
    defaultName: () => {
      const chosen = memory.defaultName();
      const known = specs();
      const [first] = known;
      return known.some(({ name }) => name === chosen) ? chosen! : first.index ? first.name : "demo";
    },
    async setDefault(name) {
      await memory.setDefault(corpora.spec(name).name);
    },
    async add(folder, root) {
      const known = memory.corpora().find((one) => one.folder === folder);
      if (known) return corpora.spec(known.name);
      if (specs().length >= MOST_CORPORA) {
        throw new ClipInterpretError("SERVER_BUSY", `the server has ${MOST_CORPORA} corpora already`, {
          hint: "Remove one that is not needed any more.",
        });
      }
      const taken = new Set(specs().map(({ name }) => name));
      const slug = slugOf(basename(folder)) || "pictures";
      let name = slug;
      for (let n = 2; taken.has(name); n++) name = `${slug}-${n}`;
      const entry = { name, title: basename(folder), folder, root };
      // Sees that there are pictures before it is kept.
      await ownSpec(entry).source!();
      await memory.add(entry);
      return corpora.spec(name);
    },
    async remove(name) {
      const entry = memory.corpora().find((one) => one.name === name);
      if (!entry) {
        const { title } = corpora.spec(name);
        throw new ClipInterpretError("CORPUS_FIXED", `"${title}" was not added in the page`);
      }
      await memory.remove(name);
      open.delete(JSON.stringify([name, ""]));
      await removeIndexes(entry.folder, cache);
    },
  };
  return corpora;
}

/** A folder of pictures that a page added. What a link in it leads to outside of the root is no part of it. */
const ownSpec = ({ name, title, folder, root }: ReturnType<CorpusMemory["corpora"]>[number]): CorpusSpec => ({
  ...{ name, title, own: true },
  async source() {
    const source = await scanSource(folder);
    const inside = await Promise.all(
      source.images.map((image) => isInside(root, join(source.root, image.path))),
    );
    const images = source.images.filter((_, i) => inside[i]);
    if (images.length === 0) throw new ClipInterpretError("NO_IMAGES", `no images in ${title}`);
    return { ...source, images };
  },
});

/** Images that are listed. */
function imagesOfSource({ root, images: listed }: Source): OpenCorpus {
  const images = listed.map((image) => ({ ...image, id: imageId(image.path) }));
  const byId = new Map(images.map((image) => [image.id, image]));
  return {
    ...{ root, images },
    rows: async (places) => places.flatMap((place) => images[place] ?? []),
    find: async (id) => byId.get(id),
  };
}

/** The images that an index lists, as many as there may be. */
const imagesOfIndex = (index: ShardedIndex): OpenCorpus => ({
  root: index.manifest.root,
  images: index.images,
  rows: (places) => index.rows(places.filter((place) => place < index.images.length)),
  async find(id) {
    const [row] = await index.find("id", id);
    return row === undefined ? undefined : (await index.rows([row]))[0];
  },
});

/**
 * Changes with the index; empty where there is none. Its manifest is written anew with every shard that comes or goes.
 * @throws `STORE_DENIED`, `STORE_UNREACHABLE`
 */
const stampOf = (folder: string): Promise<string> =>
  versionOf(folder).then(
    (version) => version ?? "",
    unlessOfStore(() => ""),
  );

/** What follows where a file cannot be read; that a store does not answer says nothing of what is in it. */
const unlessOfStore =
  <T>(otherwise: () => T) =>
  (error: unknown): T => {
    if (isOfStore(error)) throw error;
    return otherwise();
  };

const notReady = (message: string) => new ClipInterpretError("CORPUS_NOT_READY", message);

/** An index in the cache is named by where its images lie and by the weights. */
async function indexFolder(root: string, model: ServedModel, cache: string): Promise<string> {
  const weights = (await model.weightsHash()).slice(0, 12);
  return join(cache, "indexes", `${placeOf(root)}-${weights}-${model.precision}`);
}

const placeOf = (root: string) => sha256Of(root).slice(0, 12);

/** Removes every model's index of a folder. */
async function removeIndexes(root: string, cache: string): Promise<void> {
  const folder = join(cache, "indexes");
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (name.startsWith(`${placeOf(root)}-`)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** The first of each name: what a user registers goes before what is built in. */
function distinct(specs: readonly CorpusSpec[]): CorpusSpec[] {
  const names = new Map<string, CorpusSpec>();
  for (const spec of specs) {
    let name = spec.name;
    for (let n = 2; names.has(name); n++) name = `${spec.name}-${n}`;
    names.set(name, { ...spec, name });
  }
  return [...names.values()];
}

/** Reads a file that lies below a root, links resolved; anything else is not there. */
async function readInside(root: string, path: string): Promise<Buffer> {
  const missing = () => new ClipInterpretError("NOT_FOUND", "the file of this image is not there any more");
  try {
    if (path.split("/").includes("..")) throw missing();
    if (isStoreAddress(root)) return await readPicture(root, path);
    const base = await realpath(root);
    const inside = insideOf(path);
    const file = await realpath(join(base, inside?.file ?? path));
    if (!file.startsWith(base.endsWith(sep) ? base : base + sep)) throw missing();
    return await (inside ? readPicture(base, path) : readFile(file));
  } catch (error) {
    throw unlessOfStore(missing)(error);
  }
}
