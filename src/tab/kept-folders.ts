/** Folders that a page was given: their pictures and what models saw in them are kept in the browser, and nowhere else. */
import { z } from "zod";
import { assembleIndex } from "../corpus/assemble-index.ts";
import { indexPictures, storedManifest } from "../corpus/index-pictures.ts";
import { type Manifest, requireModelOf } from "../corpus/manifest.ts";
import { readShardRows } from "../corpus/read-shard.ts";
import { imageId, type RejectedRow } from "../corpus/rows.ts";
import { createSearch } from "../corpus/search.ts";
import { type GivenFile, sourceOfFiles } from "../corpus/source-files.ts";
import type { PassedOver, SourceImage } from "../corpus/source-image.ts";
import type { WritableStore } from "../corpus/store.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { AddedCorpus, ChangedCorpora, JobView } from "../results/app.ts";
import { problemOf } from "../server/problems.ts";
import { ClipInterpretError, type ErrorCode } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { parseJson } from "../support/json.ts";
import { checkCancelled } from "../support/progress.ts";
import { sharedCache } from "../support/shared.ts";
import { slugOf } from "../support/slug.ts";
import { pictureFile } from "./addresses.ts";
import type { Collection } from "./collection.ts";

/** What folders are kept with. */
export interface KeptFoldersPlace {
  /** Where they are kept. @throws `STORAGE_MISSING` */
  readonly store: () => Promise<WritableStore>;
  readonly openModel: (name: string) => Promise<ClipModel>;
  /** Bytes that may still be kept. */
  readonly room: () => Promise<number>;
  /** Sees that no other tab indexes; undefined where one does. @returns what lets others again */
  readonly lock: () => Promise<(() => void) | undefined>;
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

/** Pictures of a folder. */
export const MOST_PICTURES = 10_000;
/** Bytes of a picture's file. */
const MOST_BYTES = 64e6;
const MOST_OPEN = 3;
/** Bytes of an index a picture, of a large model. */
const INDEX_BYTES = 150e3;
const LIST = "folder.json";
/** Kinds of files that are named where none of them is a picture. */
const MOST_KINDS = 6;
/** Milliseconds between two words about work. */
const EVERY = 100;

const factors = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const listSchema = z.object({
  title: z.string(),
  images: z.array(
    z.object({
      ...{ path: z.string(), bytes: z.number(), mtime: z.number(), label: z.string().nullable(), factors },
      refused: z.object({ code: z.custom<ErrorCode>(), message: z.string() }).optional(),
    }),
  ),
  passed: z.object({ hidden: z.number(), others: z.record(z.string(), z.number()) }),
});

interface Folder {
  readonly title: string;
  readonly images: readonly SourceImage[];
  readonly passed: PassedOver;
  /** Those that are taken, by their ids. */
  readonly byId: ReadonlyMap<string, SourceImage>;
  /** Its files, until they are kept. */
  given?: ReadonlyMap<string, GivenFile["file"]>;
}

interface Job {
  view: JobView;
  readonly folder: string;
  readonly controller: AbortController;
  steps?: AsyncGenerator<Partial<JobView>, void, undefined>;
  told: number;
  /** When its task began, and with how much done. */
  mark?: { readonly at: number; readonly done: number };
}

/** Opens what was kept on earlier visits. */
export function createKeptFolders(place: KeptFoldersPlace): KeptFolders {
  const folders = new Map<string, Folder>();
  const manifests = new Map<string, Manifest | undefined>();
  const indexes = sharedCache<Awaited<ReturnType<Collection["search"]>>>(MOST_OPEN);
  const jobs: Job[] = [];
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
      const folder = await readList(store, name);
      if (folder) folders.set(name, folder);
    }
  };
  const storeOf = async (name: string) => (await place.store()).within(name);
  const indexStore = async (name: string, model: string) => (await storeOf(name)).within(indexFolder(model));
  const manifestOf = async (name: string, model: string) => {
    const key = `${name} ${model}`;
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
      const job = jobs.find((one) => one.folder === name && one.view.model === model);
      return {
        ...{ name, title: folder.title, made: !folder.given, own: true, searchable },
        images: byId.size,
        indexed: manifest !== undefined && seen >= images.length,
        version: searchable > 0 ? versionOf(manifest!) : null,
        job: job?.view.id ?? null,
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
    const { title, images, passed } = folder;
    const list = JSON.stringify({ title, images, passed });
    await store.put(LIST, [new TextEncoder().encode(list)]);
    delete folder.given;
  }

  async function* work({ folder: name, view: { model: called }, controller: { signal } }: Job) {
    const release = await place.lock();
    if (!release) throw new ClipInterpretError("STORAGE_BUSY", "another tab of this page indexes pictures");
    try {
      const folder = await folderOf(name);
      if (folder.given) {
        const store = await place.store();
        // What another visit began to keep.
        await store.remove(name);
        for (const other of await store.list("."))
          if (!folders.has(other) && !(await readList(store, other))) await store.remove(other);
        yield* keep(name, folder, signal);
      }
      const store = await indexStore(name, called);
      const files = await storeOf(name);
      const model = await place.openModel(called);
      const manifest = await manifestOf(name, called);
      // Its weights are others now.
      if (manifest && !(await madeBy(manifest, model))) await files.remove(indexFolder(called));
      const read = ({ path }: SourceImage) => files.read(pictureFile(imageId(path)));
      const how = { read, dtype: "float32", signal } as const;
      const source = { root: folder.title, images: folder.images };
      for await (const step of indexPictures(model, source, store, how)) {
        manifests.set(`${name} ${called}`, step.manifest);
        yield { task: "indexing", unit: "image", done: step.done, total: step.total };
      }
    } finally {
      // Where it was stopped, what was seen is in the store.
      manifests.delete(`${name} ${called}`);
      release();
    }
  }

  const start = (name: string, title: string, model: string): JobView => {
    const known = jobs.find(({ folder, view }) => folder === name && view.model === model);
    if (known && !known.controller.signal.aborted) return known.view;
    const view: JobView = {
      ...{ id: `tab-${sha256Of(`${name} ${model} ${place.now()}`).slice(0, 12)}`, kind: "prepare" as const },
      ...{ title: `Getting ${title} ready`, subject: name, model, state: "queued" as const },
      ...{ task: null, unit: null, done: 0, total: null, secondsLeft: null, warnings: [], error: null },
      ...{ started: new Date().toISOString(), ended: null },
    };
    const job: Job = { view, folder: name, controller: new AbortController(), told: 0 };
    jobs.push(job);
    place.tell(view);
    return view;
  };
  const change = (job: Job, view: Partial<JobView>) => {
    const now = place.now();
    const isOther = view.state !== undefined || view.task !== job.view.task;
    if (isOther || !job.mark) job.mark = { at: now, done: view.done ?? 0 };
    const next = { ...job.view, ...view };
    const seconds = (now - job.mark.at) / 1000;
    const pace = (next.done - job.mark.done) / seconds;
    const isKnown = next.total !== null && pace > 0 && seconds > 2 && next.state === "running";
    job.view = { ...next, secondsLeft: isKnown ? (next.total! - next.done) / pace : null };
    if (!isOther && now - job.told < EVERY) return;
    job.told = now;
    place.tell(job.view);
  };
  const end = async (job: Job, state: JobView["state"], error: JobView["error"] = null) => {
    jobs.splice(jobs.indexOf(job), 1);
    const folder = folders.get(job.folder);
    // Half of its pictures are no folder.
    if (folder?.given) {
      folders.delete(job.folder);
      await (await place.store()).remove(job.folder).catch(() => {});
    }
    change(job, { state, error, ended: new Date().toISOString() });
  };

  return {
    async list() {
      await load();
      return [...folders].map(([name, folder]) => collection(name, folder));
    },
    async add(title, files, model) {
      await load();
      const { images, passed = { hidden: 0, others: {} } } = await sourceOfFiles(title, files);
      const checked = images.map((image) =>
        image.bytes <= MOST_BYTES || image.refused ? image : { ...image, refused: tooLong(image) },
      );
      const byId = idsOf(checked);
      const taken = byId.size;
      if (taken > MOST_PICTURES) {
        const [found, most] = [taken, MOST_PICTURES].map((count) => count.toLocaleString("en"));
        throw new ClipInterpretError(
          "PICTURES_TOO_MANY",
          `“${title}” has ${found} pictures; ${most} are taken`,
        );
      }
      if (taken === 0) {
        const kinds = Object.entries(passed.others).map(([kind, count]) => `${count} ${kind}`);
        const why = checked[0]?.refused?.message ?? kinds.slice(0, MOST_KINDS).join(", ");
        throw new ClipInterpretError("NO_IMAGES", `no pictures in “${title}”${why && `: ${why}`}`, {
          hint: "Drop pictures, or a folder of them. Lists of pictures (.txt, .csv, .jsonl) and archives are read by the command: clip-interpret index LIST.",
        });
      }
      const name = freeName(title, folders);
      const given = new Map(files.map(({ path, file }) => [path, file]));
      folders.set(name, { title, images: checked, byId, passed, given });
      return { corpus: name, job: start(name, title, model) };
    },
    async prepare(name, model) {
      return start(name, (await folderOf(name)).title, model);
    },
    stop(id) {
      const job = jobs.find(({ view }) => view.id === id);
      job?.controller.abort();
      return job?.view;
    },
    async remove(name) {
      await folderOf(name);
      for (const job of jobs.filter(({ folder }) => folder === name)) {
        job.controller.abort();
        await job.steps?.return();
        await end(job, "cancelled");
      }
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
      const job = jobs.find(({ view }) => view.model === model && view.state === "running");
      return job && folders.get(job.folder)?.title;
    },
    async step() {
      const [job] = jobs;
      if (!job) return false;
      try {
        if (!job.steps) change(job, { state: "running" });
        job.steps ??= work(job);
        const { value, done } = await job.steps.next();
        if (done) await end(job, "done");
        else change(job, value);
      } catch (error) {
        if (jobs.includes(job))
          await (job.controller.signal.aborted
            ? end(job, "cancelled")
            : end(job, "failed", problemOf(error)));
      }
      return true;
    },
  };
}

async function readList(store: WritableStore, name: string): Promise<Folder | undefined> {
  const file = `${name}/${LIST}`;
  if ((await store.size(file)) === undefined) return undefined;
  const parsed = listSchema.safeParse(parseJson(await store.read(file), file));
  if (!parsed.success) return undefined;
  const images = parsed.data.images as SourceImage[];
  return { ...parsed.data, images, byId: idsOf(images) };
}

const idsOf = (images: readonly SourceImage[]): Folder["byId"] =>
  new Map(images.filter(({ refused }) => !refused).map((image) => [imageId(image.path), image]));

const indexFolder = (model: string) => `index-${sha256Of(model).slice(0, 16)}`;

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

const tooLong = ({ path, bytes }: SourceImage) => ({
  code: "UPLOAD_TOO_LARGE" as const,
  message: `${path} has ${inMegabytes(bytes)}; ${inMegabytes(MOST_BYTES)} are taken`,
});

const inMegabytes = (bytes: number) => `${Math.max(1, Math.round(bytes / 1e6)).toLocaleString("en")} MB`;

/** `own-holiday-photos`: what a folder is called in addresses. */
function freeName(title: string, taken: ReadonlyMap<string, unknown>): string {
  const base = `own-${slugOf(title).slice(0, 30) || "pictures"}`.replace(/-+$/, "");
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(name)) return name;
  }
}
