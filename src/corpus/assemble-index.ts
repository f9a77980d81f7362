import { mlpCount } from "../model/components.ts";
import { imageScales } from "../model/head-space.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { sharedCache } from "../support/shared.ts";
import { inTurn } from "../support/turns.ts";
import type { Manifest, ShardEntry } from "./manifest.ts";
import type { ReadableStore } from "./plain-store.ts";
import { readCheckedHead, readFloats, readMlps, readMoments } from "./read-shard.ts";
import { openRowTable } from "./row-table.ts";
import { AT_ONCE, type OpenShard, type ShardedIndex } from "./sharded-index.ts";
import { isOfStore } from "./store.ts";
import { readUnread } from "./unread.ts";

/** Bytes of scalars that an open index keeps. */
const SCALES_BYTES = 2 ** 26;

/** An index of some shards that are known to be whole. */
export async function assembleIndex(
  store: ReadableStore,
  stored: Manifest,
  whole: readonly ShardEntry[],
): Promise<ShardedIndex> {
  const manifest = { ...stored, shards: [...whole] };
  const { layers, heads, headDim, pooled } = manifest;
  const scales = sharedCache<Float64Array>(SCALES_BYTES);
  const shards: OpenShard[] = [];
  let start = 0;
  for (const entry of whole) {
    if (entry.images > 0) shards.push(openShard(store, manifest, entry, start, scales));
    start += entry.images;
  }
  return {
    ...openRowTable(store, manifest),
    folder: store.where,
    ...{ manifest, shards },
    images: { length: start },
    rejected: { length: whole.reduce((sum, { rejected }) => sum + rejected, 0) },
    unread: await readUnread(store),
    async moments() {
      if (pooled) throw new RangeError("an index of contributions keeps no moments");
      const sum = new Float64Array(layers * heads * (headDim + 4) ** 2);
      for await (const [, part] of inTurn(whole, AT_ONCE, (shard) => readMoments(store, manifest, shard)))
        for (let i = 0; i < sum.length; i++) sum[i] += part[i];
      return sum;
    },
  };
}

function openShard(
  store: ReadableStore,
  manifest: Manifest,
  entry: ShardEntry,
  start: number,
  kept: ReturnType<typeof sharedCache<Float64Array>>,
): OpenShard {
  const { images } = entry;
  const { embedDim } = manifest;
  const shard: OpenShard = {
    ...{ start, images },
    scalars: () => readFloats(store, entry, "scalars.npy", [images, 3]),
    scales: () => kept.get(entry.name, () => shard.scalars().then(imageScales), images * 24),
    embeddings: () => readFloats(store, entry, "embedding.npy", [images, embedDim]),
    head: async (layer, head) =>
      readCheckedHead(store, manifest, entry, { layer, head, scales: await shard.scales() }),
    async mlpTerm(term) {
      const others = mlpCount(manifest);
      const all = await readMlps(store, manifest, entry);
      const picked = new Uint16Array(images * embedDim);
      for (let image = 0; image < images; image++) {
        const from = (image * others + term) * embedDim;
        picked.set(all.subarray(from, from + embedDim), image * embedDim);
      }
      return picked;
    },
  };
  return shard;
}

/** Leaves a damaged shard out, and says so. What a store does not say now is no damage: fewer images would be other numbers. */
export function leaveOut(
  report: Report | undefined,
  folder: string,
  { name }: ShardEntry,
  error: unknown,
): void {
  if (isOfStore(error)) throw error;
  const message = `shard ${name} of ${folder} is left out: ${messageOf(error)}`;
  report?.({ type: "warning", code: "INDEX_CORRUPT", message });
}

/** @throws `INDEX_CORRUPT` where nothing is left */
export function requireAnyShard(whole: readonly ShardEntry[], { shards }: Manifest, folder: string): void {
  if (whole.length === 0 && shards.length > 0)
    throw new ClipInterpretError("INDEX_CORRUPT", `every shard of ${folder} is damaged`);
}
