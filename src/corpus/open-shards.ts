import { ClipInterpretError } from "../support/errors.ts";
import { inTurn } from "../support/turns.ts";
import { assembleIndex, leaveOut, requireAnyShard } from "./assemble-index.ts";
import { throughBlocks } from "./block-cache.ts";
import type { Manifest, ShardEntry } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";
import { requireWholeShard } from "./read-shard.ts";
import { requireImagesIn, spread } from "./root.ts";
import { AT_ONCE, everyRow, type ReadOptions, type ShardedIndex } from "./sharded-index.ts";
import type { Store } from "./store.ts";
import { placeOf, storeAt } from "./store-at.ts";

/**
 * Opens an index without reading its rows. A shard with a file that is missing, cut off or of another shape is left out with a
 * warning; damaged rows and numbers are refused when they are read.
 * @throws `INDEX_INVALID`, `INPUT_UNREADABLE`; `INDEX_CORRUPT` when no shard is whole; `INDEX_MISMATCH` when `root` does
 *   not hold its images
 */
export async function openShards(folder: string, { root, report }: ReadOptions = {}): Promise<ShardedIndex> {
  const { store, manifest: stored } = await openToRead(folder);
  const manifest = root === undefined ? stored : { ...stored, root: placeOf(root) };
  const whole: ShardEntry[] = [];
  const looked = inTurn(manifest.shards, AT_ONCE, (shard) =>
    requireWholeShard(store, manifest, shard).then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  );
  for await (const [shard, wrong] of looked) {
    if (wrong === undefined) whole.push(shard);
    else leaveOut(report, folder, shard, wrong.error);
  }
  requireAnyShard(whole, manifest, folder);
  const index = await assembleIndex(store, manifest, whole);
  if (root !== undefined) {
    await requireImagesIn(manifest.root, await index.rows(spread(everyRow(index))), folder);
  }
  return index;
}

/** Reads an index's manifest alone. @throws `INDEX_INVALID`, `INPUT_UNREADABLE` */
export async function openManifest(folder: string): Promise<{ store: Store; manifest: Manifest }> {
  const store = storeAt(folder);
  const manifest = await readManifest(store);
  if (!manifest) throw new ClipInterpretError("INDEX_INVALID", `no index in ${folder}`);
  return { store, manifest };
}

/** The same to read from: what is far away is kept here, within a budget. @throws as {@link openManifest} */
export async function openToRead(folder: string): Promise<{ store: Store; manifest: Manifest }> {
  const { store, manifest } = await openManifest(folder);
  return { store: store.shared ? throughBlocks(store, manifest) : store, manifest };
}
