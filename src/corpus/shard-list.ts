import type { Manifest, ShardEntry } from "./manifest.ts";
import { writeManifest } from "./manifest-file.ts";
import { shardFolder } from "./read-shard.ts";
import type { Store } from "./store.ts";

/** Lists these shards instead, then removes the folders that are no longer listed. */
export async function replaceShards(
  store: Store,
  manifest: Manifest,
  shards: readonly ShardEntry[],
): Promise<Manifest> {
  const replaced = { ...manifest, shards: [...shards] };
  await writeManifest(store, replaced);
  await removeUnlisted(store, replaced, manifest.shards);
  return replaced;
}

/**
 * Removes what an earlier run left behind: shards that are not listed, and half-written ones. Where several may write at
 * once, only those that none can be about to list.
 * @param dropped shards that this run took from the list
 */
export async function removeUnlisted(
  store: Store,
  { shards }: Manifest,
  dropped: readonly ShardEntry[] = [],
): Promise<void> {
  const kept = new Set(shards.map(({ name }) => name));
  const left = new Set([...dropped.map(({ name }) => name), ...(await store.abandoned("shards"))]);
  for (const name of left) if (!kept.has(name)) await store.remove(shardFolder(name));
}
