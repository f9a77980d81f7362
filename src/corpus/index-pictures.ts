/** Indexing step by step, with nothing of Node: what `index` does, for one that does other things in between. */
import type { ClipModel } from "../model/clip-model.ts";
import { normalizeAll } from "../model/pixels.ts";
import { textOf } from "../support/binary.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import {
  type Dtype,
  differences,
  emptyManifest,
  formatManifest,
  MANIFEST_FILE,
  type Manifest,
  originOf,
  parseManifest,
  requireSameOrigin,
  shapeOf,
} from "./manifest.ts";
import type { WritableStore } from "./plain-store.ts";
import { putShard } from "./put-shard.ts";
import { readWholeShard, shardFolder } from "./read-shard.ts";
import { type ImageRow, imageRow, type RejectedRow, rejectedRow } from "./rows.ts";
import { createShard } from "./shard.ts";
import type { Source, SourceImage } from "./source-image.ts";
import { storeBatch } from "./stored.ts";

/** Images of a shard: of those that a tab was at when it was closed, no more are looked at again. */
const SHARD_SIZE = 128;

/** How pictures are indexed. */
export interface IndexPicturesOptions {
  /** Reads a picture's file. What it throws ends the run. */
  readonly read: (image: SourceImage) => Promise<Uint8Array>;
  /** Default: float16. */
  readonly dtype?: Dtype;
  readonly shardSize?: number;
  /** Stops it. What was looked at is kept. */
  readonly signal?: AbortSignal;
}

/** How far it is, with what can be searched already. */
export interface IndexStep {
  readonly done: number;
  readonly total: number;
  readonly manifest: Manifest;
}

/**
 * Indexes the pictures of a source, or those that an index of them does not have yet, one a step. Nobody else may write to the
 * store meanwhile. Memory is bounded by one shard.
 * @throws `INDEX_MISMATCH` for an index of another model, `INDEX_INVALID`, `CANCELLED`, `SUM_MISMATCH`; what writing to the store throws
 */
export async function* indexPictures(
  model: ClipModel,
  { root, images }: Pick<Source, "root" | "images">,
  store: WritableStore,
  { read, dtype = "float16", shardSize = SHARD_SIZE, signal }: IndexPicturesOptions,
): AsyncGenerator<IndexStep, Manifest, undefined> {
  const origin = await originOf(model, true);
  let manifest = (await storedManifest(store)) ?? emptyManifest(model, origin, root, { dtype });
  requireSameOrigin(manifest, origin, store.where);
  const other = differences(manifest, { ...shapeOf(model.geometry), dtype, mlps: false });
  if (other.length > 0)
    throw new ClipInterpretError("INDEX_MISMATCH", `the index is another: ${other.join(", ")}`);
  const { whole, paths } = await wholeShards(store, manifest);
  manifest = { ...manifest, shards: whole };
  await putManifest(store, manifest);
  const listed = new Set(whole.map(({ name }) => name));
  for (const name of await store.list("shards")) if (!listed.has(name)) await store.remove(shardFolder(name));

  const left = images.filter(({ path }) => !paths.has(path));
  const total = images.length;
  let done = total - left.length;
  yield { done, total, manifest };
  for (let start = 0; start < left.length; start += shardSize) {
    const some = left.slice(start, start + shardSize);
    const shard = createShard(manifest, some.length);
    let rejected = 0;
    const finish = async () => {
      if (shard.images + rejected === 0) return;
      const entry = await putShard(store, manifest, shard, rejected);
      manifest = { ...manifest, shards: [...manifest.shards, entry] };
      await putManifest(store, manifest);
    };
    for (const image of some) {
      if (signal?.aborted) {
        await finish();
        checkCancelled(signal);
      }
      const taken = image.refused ? rejectedRow(image, image.refused) : await look(model, image, read);
      if ("row" in taken) shard.add(storeBatch(taken.decomposition, manifest), [taken.row]);
      else {
        shard.reject([taken]);
        rejected++;
      }
      done++;
      yield { done, total, manifest };
    }
    await finish();
  }
  yield { done, total, manifest };
  return manifest;
}

async function look(
  model: ClipModel,
  image: SourceImage,
  read: IndexPicturesOptions["read"],
): Promise<RejectedRow | { readonly row: ImageRow; readonly decomposition: Decomposed }> {
  const file = await read(image);
  const shown = await model.preprocess(file, { name: image.path }).catch((error: unknown) => {
    if (error instanceof ClipInterpretError) return error;
    throw error;
  });
  if (shown instanceof ClipInterpretError) return rejectedRow(image, shown);
  const decomposition = await model.decompose(normalizeAll([shown], model.config.preprocess));
  return { row: imageRow(image, shown), decomposition };
}
type Decomposed = Awaited<ReturnType<ClipModel["decompose"]>>;

/** The manifest of the index in a store, with its root as it is stored; undefined where there is none. @throws `INDEX_INVALID` */
export async function storedManifest(store: WritableStore): Promise<Manifest | undefined> {
  if ((await store.size(MANIFEST_FILE)) === undefined) return undefined;
  return parseManifest(textOf(await store.read(MANIFEST_FILE)), store.where);
}

const putManifest = (store: WritableStore, manifest: Manifest) =>
  store.put(MANIFEST_FILE, [formatManifest(manifest)]);

/** The shards that can be read, and the paths of what is in them; what is damaged is made again. */
async function wholeShards(store: WritableStore, manifest: Manifest) {
  const whole: Manifest["shards"] = [];
  const paths = new Set<string>();
  for (const shard of manifest.shards) {
    try {
      const { images, rejected } = await readWholeShard(store, manifest, shard);
      for (const { path } of [...images, ...rejected]) paths.add(path);
      whole.push(shard);
    } catch (error) {
      if (!(error instanceof ClipInterpretError && error.code === "INDEX_CORRUPT")) throw error;
    }
  }
  return { whole, paths };
}
