import { mlpCount } from "../model/components.ts";
import type { Layout, Manifest, ShardEntry } from "./manifest.ts";
import { putShard } from "./put-shard.ts";
import { findCorruption, readFloats, readHead, readMlps, readShardRows } from "./read-shard.ts";
import { createShard } from "./shard.ts";
import { replaceShards } from "./shard-list.ts";
import type { Store } from "./store.ts";
import type { StoredBatch } from "./stored.ts";

/**
 * Takes images and rejected files out of an index. Shards that hold one are written again without it, under a new name,
 * and listed in place of the old ones in one step; nothing is computed again. Such a shard whose bytes have changed is
 * taken out whole: a copy of it would have checksums that fit.
 */
export async function dropPaths(
  store: Store,
  manifest: Manifest,
  paths: ReadonlySet<string>,
): Promise<{ readonly manifest: Manifest; readonly corrupt: readonly string[] }> {
  const corrupt: string[] = [];
  const shards: ShardEntry[] = [];
  let names = manifest;
  for (const entry of manifest.shards) {
    const { images, rejected } = await readShardRows(store, entry);
    const kept = images.flatMap(({ path }, row) => (paths.has(path) ? [] : [row]));
    const stillRejected = rejected.filter(({ path }) => !paths.has(path));
    if (kept.length === images.length && stillRejected.length === rejected.length) {
      shards.push(entry);
      continue;
    }
    if (kept.length + stillRejected.length === 0) continue;
    if ((await findCorruption(store, entry)).length > 0) {
      corrupt.push(entry.name);
      continue;
    }
    const shard = createShard(manifest, kept.length);
    const batch = await readRows(store, manifest, entry, kept);
    shard.add(
      batch,
      kept.map((row) => images[row]),
    );
    shard.reject(stillRejected);
    const put = await putShard(store, names, shard, stillRejected.length);
    names = { ...names, shards: [...names.shards, put] };
    shards.push(put);
  }
  return { manifest: await replaceShards(store, manifest, shards), corrupt };
}

/** Some images of a shard, in the form in which a batch is stored. */
async function readRows(
  store: Store,
  layout: Layout,
  shard: ShardEntry,
  rows: readonly number[],
): Promise<StoredBatch> {
  const { layers, heads, headDim, embedDim, dtype, mlps: keepsMlps } = layout;
  const units = layers * heads;
  const length = rows.length * units * headDim;
  const z = dtype === "float16" ? new Uint16Array(length) : new Float32Array(length);
  for (let unit = 0; unit < units; unit++) {
    const all = await readHead(store, layout, shard, Math.floor(unit / heads), unit % heads);
    for (const [i, row] of rows.entries()) {
      z.set(all.subarray(row * headDim, (row + 1) * headDim), (i * units + unit) * headDim);
    }
  }
  const scalars = await readFloats(store, shard, "scalars.npy", [shard.images, 3]);
  const embedding = await readFloats(store, shard, "embedding.npy", [shard.images, embedDim]);
  const width = mlpCount(layout) * embedDim;
  const mlps = keepsMlps ? pick(await readMlps(store, layout, shard), rows, width) : new Uint16Array(0);
  return {
    count: rows.length,
    z,
    scalars: pick(scalars, rows, 3),
    embedding: pick(embedding, rows, embedDim),
    mlps,
  };
}

/** Some rows of a matrix. */
function pick<T extends Float32Array | Uint16Array>(matrix: T, rows: readonly number[], width: number): T {
  const picked = matrix.slice(0, rows.length * width);
  for (const [i, row] of rows.entries())
    picked.set(matrix.subarray(row * width, (row + 1) * width), i * width);
  return picked as T;
}
