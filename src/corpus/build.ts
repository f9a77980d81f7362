import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeptPool, ReadLater } from "../image/pool.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { type DecomposedBatch, decomposeImages } from "../model/decompose-images.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { findChanges } from "./changes.ts";
import { folderOf } from "./index-model.ts";
import { openJournal } from "./journal.ts";
import {
  type Dtype,
  differences,
  emptyManifest,
  type Layout,
  type Manifest,
  originOf,
  requireSameOrigin,
  type ShardEntry,
  shapeOf,
} from "./manifest.ts";
import { readManifest, requireIndex, writeManifest } from "./manifest-file.ts";
import { pictureOf } from "./picture.ts";
import { kindOf } from "./picture-names.ts";
import { dropPaths } from "./prune.ts";
import { putShard } from "./put-shard.ts";
import { readShardRows, readWholeShard } from "./read-shard.ts";
import { isSameFolder, requireImagesIn, spreadPlaces } from "./root.ts";
import { openRowTable } from "./row-table.ts";
import { type ImageRow, imageRow, isTransient, type RejectedRow, rejectedRow } from "./rows.ts";
import { createShard } from "./shard.ts";
import { removeUnlisted, replaceShards } from "./shard-list.ts";
import { requireReachable, type ScanOptions, type Source, type SourceImage, scanSource } from "./source.ts";
import type { Store } from "./store.ts";
import { storeAt } from "./store-at.ts";
import { storeBatch } from "./stored.ts";
import { openUnderway, TRIES } from "./underway.ts";
import { UNREAD_FILE, writeUnread } from "./unread.ts";

/** How an index is made. */
export interface BuildOptions extends WorkOptions, KeptPool, Pick<ScanOptions, "root" | "hidden"> {
  /** How z is stored. Default: float16. */
  readonly dtype?: Dtype;
  /** Keep MLP terms too. */
  readonly mlps?: boolean;
  /** Most images in a shard; also what bounds the memory. Default: 8192. */
  readonly shardSize?: number;
  /** Take changed and removed images out (and changed ones in again). */
  readonly prune?: boolean;
  /** Apply the EXIF orientation. Default: true. */
  readonly exif?: boolean;
  readonly maxPixels?: number;
  /** Images in one run of the encoder. */
  readonly batch?: number;
  /** Threads that decode. */
  readonly decoders?: number;
}

/** As many images as design and memory agree on: z of an L/14 is 400 MB for them. */
const SHARD_SIZE = 8192;

/**
 * Indexes a source, or brings an index up to date with it. Whatever kills the process, the index opens, and the same
 * call goes on where it stopped: finished shards are kept, and of the unfinished one every batch that was computed.
 *
 * Memory is bounded by one shard and the batches under way, whatever the size of the source; the list of its files
 * takes about 300 bytes an image.
 *
 * @param images a folder of images, a list of them (`.csv`, `.jsonl`, `.txt`), pictures and patterns, or what
 *   `scanSource` found there
 * Files that cannot be reached are no part of the index and are tried anew by each run; where all of them cannot, or the
 * index itself, the run stops.
 *
 * @throws `INDEX_MISMATCH` for an index of another model, form or images, `SOURCE_GONE`, `INDEX_GONE`, `HALF_OVERFLOW`,
 *   `OUTPUT_UNWRITABLE`, `DISK_FULL`, `CANCELLED`, `SUM_MISMATCH`
 * @returns what the index holds now, and what this run did
 * @example
 * ```ts
 * import { buildIndex, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { images, rejected } = await buildIndex(model, "examples/scenes", "out/scenes.index");
 * console.log(images, rejected); // → 24 0
 * ```
 */
export async function buildIndex(
  model: ClipModel,
  images: string | readonly string[] | Source,
  folder: string,
  options: BuildOptions = {},
) {
  const source = isSource(images) ? images : await scanSource(images, options);
  return storeAt(folder).exclusive((store) => build(model, source, store, options), options);
}

const isSource = (images: string | readonly string[] | Source): images is Source =>
  typeof images !== "string" && "images" in images;

async function build(model: ClipModel, source: Source, store: Store, options: BuildOptions) {
  const { prune = false, shardSize = SHARD_SIZE, report, signal } = options;
  let manifest = await claimIndex(model, source, store, options);
  const before = manifest.root;
  const repaired: string[] = [];
  const repair = (names: readonly string[]) => {
    if (names.length === 0) return;
    repaired.push(...names);
    const message = `damaged shards are made again: ${names.join(", ")}`;
    report?.({ type: "warning", code: "INDEX_CORRUPT", message });
  };
  const damaged = new Set<string>();
  let changes = await findChanges(source, eachShardRows(store, manifest, damaged), options);
  await requireIndex(store);
  const whole = manifest.shards.filter(({ name }) => !damaged.has(name));
  manifest = await bindTo(source.root, store, manifest, whole);
  repair([...damaged]);
  if (damaged.size > 0) manifest = await replaceShards(store, manifest, whole);
  else await removeUnlisted(store, manifest);
  const { changed, removed } = changes;
  const dropping = [...changes.retried, ...(prune ? [...changed, ...removed] : [])];
  if (dropping.length > 0) {
    const dropped = await dropPaths(store, manifest, new Set(dropping));
    manifest = dropped.manifest;
    repair(dropped.corrupt);
    changes = await findChanges(source, eachShardRows(store, manifest));
  }
  const { added } = changes;
  const unread = changes.unread.map((image) => rejectedRow(image, image.unread!));
  const task = "indexing";
  report?.({ type: "start", task, unit: "image", total: added.length });
  let done = 0;
  const advance = (count: number) => {
    done += count;
    report?.({ type: "advance", task, done, total: added.length });
  };
  for (let start = 0; start < added.length; start += shardSize) {
    checkCancelled(signal);
    const images = added.slice(start, start + shardSize);
    const part = await addShard(model, source, store, manifest, images, options, advance);
    manifest = part.manifest;
    for (const row of part.unread) unread.push(row);
  }
  report?.({ type: "end", task, done });
  await writeUnread(store, unread);
  if (unread.length > 0) {
    const some = unread.slice(0, 3).map(({ message }) => message);
    const message = `${unread.length === 1 ? "1 file" : `${unread.length} files`} could not be read, and will be tried again: ${some.join("; ")}${unread.length > 3 ? "; …" : ""}`;
    report?.({ type: "warning", code: "IMAGES_UNREAD", message });
  }
  await rm(store.journal, { recursive: true, force: true });
  await store.remove("manifest.json.part");
  const total = (key: "images" | "rejected") => manifest.shards.reduce((sum, shard) => sum + shard[key], 0);
  return {
    folder: store.where,
    root: manifest.root,
    movedFrom: manifest.root === before ? null : before,
    images: total("images"),
    rejected: total("rejected"),
    ...(await readRejected(store, manifest)),
    unread,
    passedOver: { hidden: source.passed?.hidden ?? 0, others: { ...source.passed?.others } },
    shards: manifest.shards.length,
    added: added.length - (unread.length - changes.unread.length),
    changed: [...changed],
    removed: [...removed],
    pruned: prune,
    repaired,
  };
}

/** The manifest of the index that is there, or a new one. @throws `INDEX_MISMATCH` */
export async function claimIndex(
  model: ClipModel,
  source: Source,
  store: Store,
  { dtype, mlps, exif = true }: BuildOptions,
): Promise<Manifest> {
  const origin = await originOf(model, exif);
  const place = await folderOf(model, store.where);
  const found = await readManifest(store);
  if (found) {
    requireSameOrigin(found, origin, store.where);
    const wanted = {
      ...shapeOf(model.geometry),
      ...(dtype && { dtype }),
      ...(mlps !== undefined && { mlps }),
    };
    const other = differences(found, wanted);
    if (other.length > 0) {
      throw new ClipInterpretError(
        "INDEX_MISMATCH",
        `the index ${store.where} is another: ${other.join(", ")}`,
      );
    }
    const moved = { ...found, model: { ...found.model, folder: place } };
    if (JSON.stringify(moved) !== JSON.stringify(found)) await writeManifest(store, moved);
    return moved;
  }
  if ((await store.list("shards")).length > 0) {
    const hint = "If its manifest was lost, name another folder with --out, or remove this one.";
    throw new ClipInterpretError("INDEX_INVALID", `${store.where} holds shards and no manifest`, { hint });
  }
  // A run that was stopped as it wrote the first manifest leaves half of one.
  const own = new Set(["journal", "manifest.json.part", "parts", UNREAD_FILE]);
  const strangers = (await store.list(".")).filter((name) => !name.startsWith(".") && !own.has(name));
  if (strangers.length > 0) {
    const message = `${store.where} is not empty and holds no index: ${strangers.slice(0, 3).join(", ")}`;
    throw new ClipInterpretError("INDEX_INVALID", message, { hint: "Name another folder with --out." });
  }
  const made = { ...origin, model: { ...origin.model, ...(place && { folder: place }) } };
  const manifest = emptyManifest(model, made, source.root, { dtype, mlps });
  await writeManifest(store, manifest);
  return manifest;
}

/**
 * The rows of every shard that can be read, a shard at a time.
 * @param damaged takes the names of those that cannot
 */
export async function* eachShardRows(
  store: Store,
  manifest: Manifest | undefined,
  damaged?: Set<string>,
): AsyncGenerator<readonly (ImageRow | RejectedRow)[], void, undefined> {
  if (!manifest) return;
  for (const shard of manifest.shards) {
    const rows = await readWholeShard(store, manifest, shard).catch((error: unknown) => {
      if (!(error instanceof ClipInterpretError && error.code === "INDEX_CORRUPT")) throw error;
      damaged?.add(shard.name);
      return { images: [], rejected: [] };
    });
    yield [...rows.images, ...rows.rejected];
  }
}

/** The manifest with the root that the source has now; another one is taken once images were compared. */
async function bindTo(
  root: string,
  store: Store,
  manifest: Manifest,
  shards: readonly ShardEntry[],
): Promise<Manifest> {
  if (await isSameFolder(manifest.root, root)) return manifest;
  const images = shards.reduce((sum, shard) => sum + shard.images, 0);
  const sample = await openRowTable(store, { ...manifest, shards: [...shards] }).rows(spreadPlaces(images));
  await requireImagesIn(root, sample, store.where);
  const bound = { ...manifest, root };
  await writeManifest(store, bound);
  return bound;
}

type Reason = Pick<RejectedRow, "path" | "code" | "message">;
/** How many of the files that could not be indexed are named with their reasons. */
const NAMED = 5;

/** Of an index the pictures in formats that are not read, by extension, and of the other files that it rejected the first. */
export async function readRejected(
  store: Store,
  manifest: Manifest,
): Promise<{ unsupported: Record<string, number>; firstRejected: Reason[] }> {
  const unsupported: Record<string, number> = {};
  const firstRejected: Reason[] = [];
  for (const shard of manifest.shards) {
    if (shard.rejected === 0) continue;
    for (const { path, code, message } of (await readShardRows(store, shard)).rejected) {
      if (code === "IMAGE_UNSUPPORTED") unsupported[kindOf(path)] = (unsupported[kindOf(path)] ?? 0) + 1;
      else if (firstRejected.length < NAMED) firstRejected.push({ path, code, message });
    }
  }
  return { unsupported, firstRejected };
}

/** A picture that is no file's. */
const A_PIXEL = Buffer.from("P6 1 1 255\n\0\0\0");

/** Computes one shard, writes it and lists it. Files that could not be reached are no part of it. */
async function addShard(
  model: ClipModel,
  source: Source,
  store: Store,
  manifest: Manifest,
  images: readonly SourceImage[],
  { exif = true, maxPixels, batch, decoders, kept, signal, report }: BuildOptions,
  advance: (count: number) => void,
): Promise<{ manifest: Manifest; unread: readonly RejectedRow[] }> {
  const { root } = source;
  const shard = createShard(manifest, images.length);
  await requireIndex(store);
  const journal = await openJournal(join(store.journal, "current"), workName(manifest, images), manifest);
  const done = new Set<string>();
  const unread: RejectedRow[] = [];
  let rejected = 0;
  const take = (taken: (typeof journal.batches)[number]) => {
    if (taken.stored) shard.add(taken.stored, taken.images);
    shard.reject(taken.rejected);
    rejected += taken.rejected.length;
    for (const { path } of [...taken.images, ...taken.rejected]) done.add(path);
    advance(taken.images.length + taken.rejected.length);
  };
  for (const known of journal.batches) take(known);
  const underway = await openUnderway(join(store.journal, "underway"), (path) => done.has(path));
  try {
    const left = images.filter(({ path }) => !done.has(path));
    const refused = left.flatMap((image) => {
      const reason = image.refused ?? fatal(image, underway.tries.get(image.path) ?? 0);
      return reason ? [rejectedRow(image, reason)] : [];
    });
    if (refused.length > 0) {
      const taken = { images: [], rejected: refused };
      await journal.append(taken);
      take(taken);
    }
    const bySource = new Map<string | ReadLater, SourceImage>();
    const todo = left.filter(({ path }) => !done.has(path));
    // Where a process died, one image at a time is in hand, until all are past that it had in hand.
    const alone = todo.findLastIndex(({ path }) => underway.tries.has(path)) + 1;
    const inHand = function* (some: readonly SourceImage[]) {
      for (const image of some) {
        underway.take(image.path);
        const picture = pictureOf(root, image.path);
        bySource.set(picture, image);
        yield picture;
      }
    };
    const pool = {
      ...(maxPixels && { maxPixels }),
      ...(decoders && { threads: decoders }),
      ...(kept && { kept }),
      ...(report && { report }),
    };
    const how = { exif, signal, ...pool };
    const compute = async (some: readonly SourceImage[], each: { batch?: number; ahead?: number }) => {
      if (some.length === 0) return;
      for await (const decomposed of decomposeImages(model, inHand(some), { ...how, ...each })) {
        const { failed, ...kept } = storedBatch(decomposed, bySource, manifest);
        if (kept.images.length + kept.rejected.length > 0) {
          await journal.append(kept);
          take(kept);
        }
        if (failed.length === 0) continue;
        await requireReachable(source);
        for (const row of failed) unread.push(row);
        advance(failed.length);
      }
    };
    // Whatever ends the process while graphs and threads are loaded is no image's doing.
    if (alone > 0) for await (const _ of decomposeImages(model, [A_PIXEL], { ...how, batch: 1 }));
    await compute(todo.slice(0, alone), { batch: 1, ahead: 1 });
    await compute(todo.slice(alone), batch ? { batch } : {});
    await requireIndex(store);
    const listed =
      done.size === 0
        ? manifest
        : {
            ...manifest,
            shards: [...manifest.shards, await putShard(store, manifest, shard, rejected)],
          };
    if (listed !== manifest) await writeManifest(store, listed);
    await journal.discard();
    underway.discard();
    return { manifest: listed, unread };
  } finally {
    underway.close();
    await journal.close();
  }
}

/** Why an image that processes died of is set aside. */
const fatal = ({ path }: SourceImage, tries: number): Pick<RejectedRow, "code" | "message"> | undefined =>
  tries < TRIES
    ? undefined
    : { code: "IMAGE_FATAL", message: `the process died ${tries} times with ${path} in hand` };

/** What a journal's batches are part of: change any of it, and they are of no use. */
function workName(
  { model: { folder: _, ...model }, preprocessing, dtype, mlps }: Manifest,
  images: readonly SourceImage[],
): string {
  const hash = createHash("sha256").update(JSON.stringify([model, preprocessing, dtype, mlps]));
  for (const { path, bytes, label, factors } of images) {
    hash.update(`\n${JSON.stringify([path, bytes, label, factors])}`);
  }
  return hash.digest("hex");
}

function storedBatch(
  { images, rejected, decomposition }: DecomposedBatch<string | ReadLater>,
  bySource: ReadonlyMap<string | ReadLater, SourceImage>,
  layout: Layout,
) {
  const rows = images.map(({ source, shown }) => imageRow(bySource.get(source)!, shown));
  const refused = rejected.map(({ source, error }) => rejectedRow(bySource.get(source)!, error));
  return {
    images: rows,
    rejected: refused.filter((row) => !isTransient(row)),
    failed: refused.filter(isTransient),
    ...(decomposition && { stored: storeBatch(decomposition, layout) }),
  };
}
