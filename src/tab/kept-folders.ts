/** Folders that a page was given: their pictures and what models saw in them are kept in the browser, and nowhere else. */
import { assembleIndex } from "../corpus/assemble-index.ts";
import { indexPictures, storedManifest } from "../corpus/index-pictures.ts";
import { type Manifest, requireModelOf } from "../corpus/manifest.ts";
import type { WritableStore } from "../corpus/plain-store.ts";
import { readShardRows } from "../corpus/read-shard.ts";
import { imageId, type RejectedRow } from "../corpus/rows.ts";
import { createSearch } from "../corpus/search.ts";
import type { GivenFile } from "../corpus/source-files.ts";
import type { PassedOver, SourceImage } from "../corpus/source-image.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { AddedCorpus, ChangedCorpora, JobView } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { checkCancelled } from "../support/progress.ts";
import { sharedCache } from "../support/shared.ts";
import { pictureFile } from "./addresses.ts";
import type { Collection } from "./collection.ts";
import {
  type Folder,
  folderOfFiles,
  freeName,
  inMegabytes,
  readFolder,
  writeFolder,
} from "./given-folder.ts";
import { createTabJobs, type Steps, type Wanted } from "./jobs.ts";

/** What folders are kept with. */
export interface KeptFoldersPlace {
  /** Where they are kept. @throws `STORAGE_MISSING` */
  readonly store: () => Promise<WritableStore>;
  readonly openModel: (name: string) => Promise<ClipModel>;
  /** Where a model is computed now; the CPU, unless it is said. An index is of one device. */
  readonly deviceOf?: (name: string) => string;
  /** Bytes that may still be kept. */
  readonly room: () => Promise<number>;
  /** Sees that no other tab indexes, or deletes the model; undefined where one indexes. @returns what lets others again */
  readonly lock: (model: string) => Promise<(() => void) | undefined>;
  /** Hears of work whenever it is further. */
  readonly tell: (job: JobView) => void;
  /** What the page came with, and which of it is searched before anything is chosen. */
  readonly others: readonly string[];
  readonly defaultCorpus: string;
  /** Milliseconds, from any start. */
  readonly now: () => number;
}

/** The folders that were given to a page. */
export interface KeptFolders {
  list(): Promise<readonly Collection[]>;
  /** Keeps a folder, and indexes it with a model. @throws `NO_IMAGES`, `PICTURES_TOO_MANY` */
  add(title: string, files: readonly GivenFile[], model: string): Promise<AddedCorpus>;
  /** Indexes one with a model, from where that was stopped. @throws `CORPUS_NOT_READY` */
  prepare(name: string, model: string): Promise<JobView>;
  /** Stops work; what was seen is kept. */
  stop(id: string): JobView | undefined;
  /** Forgets a folder with all that is known of it. */
  remove(name: string): Promise<ChangedCorpora>;
  /** What of a folder is no part of its index, and why. */
  leftOut(name: string, model: string): Promise<LeftOut>;
  /** The folder that a model is looking at now, by its title. */
  workOf(model: string): string | undefined;
  /** Does some of the work that nobody waits for: a picture. @returns false where there is none */
  step(): Promise<boolean>;
}

/** Files of a folder that are not searched. */
export interface LeftOut {
  readonly rejected: readonly Pick<RejectedRow, "path" | "code" | "message">[];
  /** Files that are no pictures, by extension, and hidden ones. */
  readonly passedOver: PassedOver;
}

const MOST_OPEN = 3;
/** Bytes of an index a picture, of a large model. */
const INDEX_BYTES = 150e3;

/** Opens what was kept on earlier visits. */
export function createKeptFolders(place: KeptFoldersPlace): KeptFolders {
  const folders = new Map<string, Folder>();
  const manifests = new Map<string, Manifest | undefined>();
  const indexes = sharedCache<Awaited<ReturnType<Collection["search"]>>>(MOST_OPEN);
  let loaded: Promise<void> | undefined;
  const load = () => {
    loaded ??= readAll();
    loaded.catch(() => {
      loaded = undefined;
    });
    return loaded;
  };
  const readAll = async () => {
    const store = await place.store();
    for (const name of await store.list(".")) {
      const folder = await readFolder(store, name);
      if (folder) folders.set(name, folder);
    }
  };
  const storeOf = async (name: string) => (await place.store()).within(name);
  const indexFolder = (model: string) => {
    const device = place.deviceOf?.(model) ?? "cpu";
    return `index-${sha256Of(device === "cpu" ? model : `${model} ${device}`).slice(0, 16)}`;
  };
  const indexStore = async (name: string, model: string) => (await storeOf(name)).within(indexFolder(model));
  const keyOf = (name: string, model: string) => `${name} ${indexFolder(model)}`;
  const manifestOf = async (name: string, model: string) => {
    const key = keyOf(name, model);
    if (!manifests.has(key)) manifests.set(key, await storedManifest(await indexStore(name, model)));
    return manifests.get(key);
  };
  const folderOf = async (name: string): Promise<Folder> => {
    await load();
    const folder = folders.get(name);
    if (!folder) throw new ClipInterpretError("NOT_FOUND", `no folder "${name}" is kept`);
    return folder;
  };

  const collection = (name: string, folder: Folder): Collection => ({
    name,
    async entry(model) {
      const { images, byId } = folder;
      const manifest = folder.given ? undefined : await manifestOf(name, model);
      const { searchable, seen } = countsOf(manifest);
      return {
        ...{ name, title: folder.title, made: !folder.given, own: true, searchable },
        images: byId.size,
        indexed: manifest !== undefined && seen >= images.length,
        version: searchable > 0 ? versionOf(manifest!) : null,
        job: jobs.find({ folder: name, model })?.id ?? null,
      };
    },
    async images({ offset, limit, ids }) {
      const all = folder.given ? [] : [...folder.byId];
      const chosen = ids ? all.filter(([id]) => ids.includes(id)) : all.slice(offset, offset + limit);
      const images = chosen.map(([id, { path, label, factors }]) => ({
        ...{ image: `${name}:${id}`, path, label, factors: { ...factors } },
      }));
      return { total: all.length, images };
    },
    async picture(id) {
      const image = folder.byId.get(id);
      if (!image) throw new ClipInterpretError("IMAGE_GONE", "this picture is not in the page any more");
      const { path, label, factors } = image;
      const bytes = await (await storeOf(name)).read(pictureFile(id));
      return { bytes, picture: { path, label, factors: { ...factors } } };
    },
    async search(model, called) {
      const manifest = await manifestOf(name, called);
      if (!manifest || countsOf(manifest).searchable === 0)
        throw new ClipInterpretError(
          "CORPUS_NOT_READY",
          `“${folder.title}” was not looked at by ${called} yet`,
        );
      const store = await indexStore(name, called);
      return indexes.get(`${name} ${called} ${versionOf(manifest)}`, async () => {
        await requireModelOf({ manifest, folder: folder.title }, model);
        const index = await assembleIndex(store, manifest, manifest.shards);
        return createSearch({ ...index, name }, model.geometry, model.matmul);
      });
    },
  });

  /** Copies a folder's pictures to where they are kept. */
  async function* keep(name: string, folder: Folder, signal: AbortSignal) {
    const store = await storeOf(name);
    const taken = [...folder.byId];
    const needed = taken.reduce((sum, [, { bytes }]) => sum + bytes + INDEX_BYTES, 0);
    const room = await place.room();
    if (needed > room) {
      const message = `these pictures need ${inMegabytes(needed)}, and the browser has room for ${inMegabytes(room)}`;
      throw new ClipInterpretError("STORAGE_FULL", message);
    }
    for (const [i, [id, { path }]] of taken.entries()) {
      yield { task: "keeping pictures", unit: "image", done: i, total: taken.length };
      checkCancelled(signal);
      const file = folder.given!.get(path)!;
      const bytes = await file.arrayBuffer().catch((cause: unknown) => {
        throw new ClipInterpretError("INPUT_UNREADABLE", `${path} could not be read`, { cause });
      });
      await store.put(pictureFile(id), [new Uint8Array(bytes)]);
    }
    await writeFolder(store, folder);
    delete folder.given;
  }

  async function* work({ folder: name, model: called }: Wanted, signal: AbortSignal): Steps {
    const release = await place.lock(called);
    if (!release) throw new ClipInterpretError("STORAGE_BUSY", "another tab of this page indexes pictures");
    let key = keyOf(name, called);
    try {
      const folder = await folderOf(name);
      if (folder.given) {
        const store = await place.store();
        // What another visit began to keep.
        await store.remove(name);
        for (const other of await store.list("."))
          if (!folders.has(other) && !(await readFolder(store, other))) await store.remove(other);
        yield* keep(name, folder, signal);
      }
      const files = await storeOf(name);
      const model = await place.openModel(called);
      // What is known of where it is computed is known by now.
      key = keyOf(name, called);
      const store = await indexStore(name, called);
      const manifest = await manifestOf(name, called);
      // Its weights are others now.
      if (manifest && !(await madeBy(manifest, model))) await files.remove(indexFolder(called));
      const read = ({ path }: SourceImage) => files.read(pictureFile(imageId(path)));
      const how = { read, dtype: "float32", signal } as const;
      const source = { root: folder.title, images: folder.images };
      for await (const step of indexPictures(model, source, store, how)) {
        manifests.set(key, step.manifest);
        yield { task: "indexing", unit: "image", done: step.done, total: step.total };
      }
    } finally {
      // Where it was stopped, what was seen is in the store.
      manifests.delete(key);
      release();
    }
  }

  const jobs = createTabJobs({
    work,
    async ended({ folder: name }) {
      // Half of its pictures are no folder.
      if (!folders.get(name)?.given) return;
      folders.delete(name);
      await (await place.store()).remove(name).catch(() => {});
    },
    tell: place.tell,
    now: place.now,
  });

  return {
    async list() {
      await load();
      return [...folders].map(([name, folder]) => collection(name, folder));
    },
    async add(title, files, model) {
      await load();
      const folder = await folderOfFiles(title, files);
      const name = freeName(title, folders);
      folders.set(name, folder);
      return { corpus: name, job: jobs.start({ folder: name, model }, title) };
    },
    async prepare(name, model) {
      return jobs.start({ folder: name, model }, (await folderOf(name)).title);
    },
    stop: jobs.stop,
    async remove(name) {
      await folderOf(name);
      await jobs.drop(name);
      await (await place.store()).remove(name);
      folders.delete(name);
      for (const key of manifests.keys()) if (key.startsWith(`${name} `)) manifests.delete(key);
      return { corpora: [...place.others, ...folders.keys()], default: place.defaultCorpus };
    },
    async leftOut(name, model) {
      const { images, passed, given } = await folderOf(name);
      const refused = images.flatMap(({ path, refused: why }) => (why ? [{ path, ...why }] : []));
      const manifest = given ? undefined : await manifestOf(name, model);
      const store = await indexStore(name, model);
      const seen = [];
      for (const shard of manifest?.shards ?? [])
        if (shard.rejected > 0) seen.push(...(await readShardRows(store, shard)).rejected);
      const known = new Set(seen.map(({ path }) => path));
      const rejected = [...refused.filter(({ path }) => !known.has(path)), ...seen];
      return {
        rejected: rejected.map(({ path, code, message }) => ({ path, code, message })),
        passedOver: passed,
      };
    },
    workOf(model) {
      const job = jobs.running(model);
      return job && folders.get(job.subject)?.title;
    },
    step: jobs.step,
  };
}

const madeBy = (manifest: Manifest, model: ClipModel): Promise<boolean> =>
  requireModelOf({ manifest, folder: "" }, model).then(
    () => true,
    () => false,
  );

function countsOf(manifest: Manifest | undefined) {
  let [searchable, seen] = [0, 0];
  for (const { images, rejected } of manifest?.shards ?? []) {
    searchable += images;
    seen += images + rejected;
  }
  return { searchable, seen };
}

const versionOf = (manifest: Manifest) =>
  sha256Of(JSON.stringify(manifest.shards.map(({ name, files }) => [name, files]))).slice(0, 12);
