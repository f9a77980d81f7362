import type { ClipModel } from "../model/clip-model.ts";
import { mlpCount } from "../model/components.ts";
import { imageScales } from "../model/head-space.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { checkCancelled, type Report, type WorkOptions } from "../support/progress.ts";
import { once } from "../support/shared.ts";
import { type Manifest, originOf, readManifest, requireSameOrigin, type ShardEntry } from "./manifest.ts";
import {
  findCorruption,
  readCheckedHead,
  readFloats,
  readMlps,
  readMoments,
  readShardRows,
  readWholeShard,
  shardFolder,
} from "./read-shard.ts";
import { hashPicture, requireImagesIn } from "./root.ts";
import type { ImageRow, RejectedRow } from "./rows.ts";
import type { Store } from "./store.ts";
import { placeOf, storeAt } from "./store-at.ts";
import { readUnread } from "./unread.ts";

/** An index that is read. Images are those of all shards, one after another. */
export interface Index {
  readonly folder: string;
  /** What results call it; by default as its folder. */
  readonly name?: string;
  readonly manifest: Manifest;
  readonly images: readonly ImageRow[];
  readonly rejected: readonly RejectedRow[];
  /** Files of the source that the last run could not reach. */
  readonly unread?: readonly RejectedRow[];
  /** [n, 3]: μ, σ, ‖e‖. */
  scalars(): Promise<Float32Array>;
  /** [n, D]: e/‖e‖. */
  embeddings(): Promise<Float32Array>;
  /** [n, d_h]: z of one head as float32. */
  head(layer: number, head: number): Promise<Float32Array>;
  /** [n, D]: one MLP term as float16 bits; only of an index that keeps them. */
  mlpTerm(term: number): Promise<Uint16Array>;
  /** [L, H, m+1, m+1], m = d_h + 3: Σ [z̃;1][z̃;1]ᵀ over all images; of an index of contributions there are none. */
  moments(): Promise<Float64Array>;
}

/** How an index is opened. */
export interface ReadOptions {
  /** Where its images lie now, if not where they were indexed. */
  readonly root?: string | undefined;
  readonly report?: Report | undefined;
}

/**
 * Opens an index. A shard that is damaged is left out with a warning, so that the rest can be used.
 * @throws `INDEX_INVALID`, `INPUT_UNREADABLE`; `INDEX_CORRUPT` when no shard is whole; `INDEX_MISMATCH` when `root` does
 *   not hold its images
 */
export async function readIndex(folder: string, { root, report }: ReadOptions = {}): Promise<Index> {
  const { store, manifest: stored } = await openManifest(folder);
  const manifest = root === undefined ? stored : { ...stored, root: placeOf(root) };
  const whole: ShardEntry[] = [];
  const images: ImageRow[] = [];
  const rejected: RejectedRow[] = [];
  const warn = (name: string, why: string) => {
    const message = `shard ${name} of ${folder} is left out: ${why}`;
    report?.({ type: "warning", code: "INDEX_CORRUPT", message });
  };
  for (const shard of manifest.shards) {
    try {
      const rows = await readWholeShard(store, manifest, shard);
      for (const row of rows.images) images.push(row);
      for (const row of rows.rejected) rejected.push(row);
      whole.push(shard);
    } catch (error) {
      // What a store does not say now is no damage: fewer images would be other numbers.
      if (error instanceof ClipInterpretError && error.code.startsWith("STORE_")) throw error;
      warn(shard.name, messageOf(error));
    }
  }
  if (whole.length === 0 && manifest.shards.length > 0) {
    throw new ClipInterpretError("INDEX_CORRUPT", `every shard of ${folder} is damaged`);
  }
  if (root !== undefined) await requireImagesIn(manifest.root, images, folder);
  const { embedDim, headDim } = manifest;
  /** One array over all shards. */
  const gather = async (width: number, read: (shard: ShardEntry) => Promise<Float32Array>) => {
    const gathered = new Float32Array(images.length * width);
    let at = 0;
    for (const shard of whole) {
      if (shard.images === 0) continue;
      gathered.set(await read(shard), at);
      at += shard.images * width;
    }
    return gathered;
  };
  const readScalars = (shard: ShardEntry) => readFloats(store, shard, "scalars.npy", [shard.images, 3]);
  const scales = new Map(
    whole.map((shard) => [shard, once(async () => imageScales(await readScalars(shard)))]),
  );
  return {
    folder: store.where,
    manifest: { ...manifest, shards: whole },
    images,
    rejected,
    unread: await readUnread(store),
    scalars: () => gather(3, readScalars),
    embeddings: () =>
      gather(embedDim, (shard) => readFloats(store, shard, "embedding.npy", [shard.images, embedDim])),
    head: (layer, head) =>
      gather(headDim, async (shard) =>
        readCheckedHead(store, manifest, shard, { layer, head, scales: await scales.get(shard)!() }),
      ),
    async mlpTerm(term) {
      const others = mlpCount(manifest);
      const gathered = new Uint16Array(images.length * embedDim);
      let at = 0;
      for (const shard of whole) {
        const all = await readMlps(store, manifest, shard);
        for (let image = 0; image < shard.images; image++, at += embedDim) {
          const from = (image * others + term) * embedDim;
          gathered.set(all.subarray(from, from + embedDim), at);
        }
      }
      return gathered;
    },
    async moments() {
      const { layers, heads, pooled } = manifest;
      if (pooled) throw new RangeError("an index of contributions keeps no moments");
      const sum = new Float64Array(layers * heads * (headDim + 4) ** 2);
      for (const shard of whole) {
        const part = await readMoments(store, manifest, shard);
        for (let i = 0; i < sum.length; i++) sum[i] += part[i];
      }
      return sum;
    },
  };
}

/** Reads an index's manifest alone. @throws `INDEX_INVALID`, `INPUT_UNREADABLE` */
export async function openManifest(folder: string): Promise<{ store: Store; manifest: Manifest }> {
  const store = storeAt(folder);
  const manifest = await readManifest(store);
  if (!manifest) throw new ClipInterpretError("INDEX_INVALID", `no index in ${folder}`);
  return { store, manifest };
}

/** A word that changes with an index: its manifest is written anew with every shard that comes or goes. Undefined where there is none. */
export const versionOf = (folder: string): Promise<string | undefined> =>
  storeAt(folder).version("manifest.json");

/** Sees that a model may be asked about an index: it made it. @throws `INDEX_MISMATCH` */
export async function requireModelOf(
  { manifest, folder }: Pick<Index, "manifest" | "folder">,
  model: ClipModel,
): Promise<void> {
  requireSameOrigin(manifest, await originOf(model, manifest.preprocessing.exif), folder);
}

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
