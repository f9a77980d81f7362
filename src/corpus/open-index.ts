import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { assembleIndex, leaveOut, requireAnyShard } from "./assemble-index.ts";
import { requireFits } from "./fits-memory.ts";
import type { ShardEntry } from "./manifest.ts";
import { openManifest, openToRead } from "./open-shards.ts";
import { findCorruption, readShardRows, readWholeShard, shardFolder } from "./read-shard.ts";
import { hashPicture, requireImagesIn } from "./root.ts";
import type { ImageRow, RejectedRow } from "./rows.ts";
import { gather, type ReadOptions, readEmbeddings, readMlpTerm, type ShardedIndex } from "./sharded-index.ts";
import { placeOf, storeAt } from "./store-at.ts";

/** An index that is read, with the rows of its images in memory: some 600 bytes an image. */
export interface Index extends ShardedIndex {
  readonly images: readonly ImageRow[];
  readonly rejected: readonly RejectedRow[];
  /** `[n, 3]`: μ, σ, ‖e‖. */
  scalars(): Promise<Float32Array>;
  /** `[n, D]`: e/‖e‖. */
  embeddings(): Promise<Float32Array>;
  /** `[n, d_h]`: z of one head as float32. */
  head(layer: number, head: number): Promise<Float32Array>;
  /** `[n, D]`: one MLP term as float16 bits; only of an index that keeps them. */
  mlpTerm(term: number): Promise<Uint16Array>;
}

/**
 * Opens an index with all its rows. A shard that is damaged is left out with a warning, so that the rest can be used.
 * @throws `INDEX_INVALID`, `INPUT_UNREADABLE`; `INDEX_CORRUPT` when no shard is whole; `INDEX_MISMATCH` when `root` does
 *   not hold its images; `INDEX_TOO_LARGE` when their rows do not fit into memory
 */
export async function readIndex(folder: string, { root, report }: ReadOptions = {}): Promise<Index> {
  const { store, manifest: stored } = await openToRead(folder);
  requireFits(stored, store.where);
  const manifest = root === undefined ? stored : { ...stored, root: placeOf(root) };
  const whole: ShardEntry[] = [];
  const images: ImageRow[] = [];
  const rejected: RejectedRow[] = [];
  for (const shard of manifest.shards) {
    try {
      const rows = await readWholeShard(store, manifest, shard);
      for (const row of rows.images) images.push(row);
      for (const row of rows.rejected) rejected.push(row);
      whole.push(shard);
    } catch (error) {
      leaveOut(report, folder, shard, error);
    }
  }
  requireAnyShard(whole, manifest, folder);
  if (root !== undefined) await requireImagesIn(manifest.root, images, folder);
  return withRows(await assembleIndex(store, manifest, whole), images, rejected);
}

/** An index with rows in memory. */
function withRows(index: ShardedIndex, images: readonly ImageRow[], rejected: readonly RejectedRow[]): Index {
  const { headDim } = index.manifest;
  const floats = (width: number) => new Float32Array(images.length * width);
  return {
    ...index,
    ...{ images, rejected },
    scalars: () => gather(index, floats(3), (shard) => shard.scalars()),
    embeddings: () => readEmbeddings(index),
    head: (layer, head) => gather(index, floats(headDim), (shard) => shard.head(layer, head)),
    mlpTerm: (term) => readMlpTerm(index, term),
  };
}

/** A word that changes with an index: its manifest is written anew with every shard that comes or goes. Undefined where there is none. */
export const versionOf = (folder: string): Promise<string | undefined> =>
  storeAt(folder).version("manifest.json");

/**
 * Reads every byte of an index and of its images, and compares them with the checksums that were taken.
 * @returns files of the index that are not what was written, images that have changed, images that are gone, and what
 *   could be read of the index
 * @throws `INDEX_INVALID`, `CANCELLED`
 */
export async function checkIndex(
  folder: string,
  { root, report, signal }: WorkOptions & Pick<ReadOptions, "root"> = {},
) {
  const { store, manifest: stored } = await openManifest(folder);
  const manifest = root === undefined ? stored : { ...stored, root: placeOf(root) };
  const corrupt: string[] = [];
  const changed: string[] = [];
  const missing: string[] = [];
  const total = manifest.shards.reduce((sum, { images }) => sum + images, 0);
  const task = "checking";
  report?.({ type: "start", task, unit: "image", total });
  const known: ImageRow[] = [];
  let done = 0;
  for (const shard of manifest.shards) {
    const wrong = await findCorruption(store, shard);
    corrupt.push(...wrong);
    if (wrong.some((name) => name.endsWith(".jsonl"))) continue;
    let images: readonly ImageRow[] = [];
    try {
      const read = wrong.length > 0 ? readShardRows(store, shard) : readWholeShard(store, manifest, shard);
      images = (await read).images;
    } catch {
      // Where every byte is as it was written, the manifest says something else.
      if (wrong.length === 0) corrupt.push(shardFolder(shard.name));
    }
    for (const row of images) known.push(row);
    for (const { path, sha256 } of images) {
      checkCancelled(signal);
      const found = await hashPicture(manifest.root, path);
      if (found === undefined) missing.push(path);
      else if (found !== sha256) changed.push(path);
      report?.({ type: "advance", task, done: ++done, total });
    }
  }
  report?.({ type: "end", task, done });
  const { shards, model } = manifest;
  return {
    index: { folder: store.where, manifest, images: known },
    ...{ folder: store.where, model: model.name, images: total, shards: shards.length },
    ...{ corrupt, changed, missing },
  };
}
