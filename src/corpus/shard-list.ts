import { createHash } from "node:crypto";
import { type Manifest, type ShardEntry, writeManifest } from "./manifest.ts";
import { shardFolder } from "./read-shard.ts";
import type { ShardBuilder } from "./shard.ts";
import type { Store } from "./store.ts";

/** The name after the highest in use. */
export const nextName = ({ shards }: Pick<Manifest, "shards">): string =>
  String(shards.reduce((highest, { name }) => Math.max(highest, Number(name) + 1), 0)).padStart(6, "0");

/** Writes a shard's files under a name that the manifest does not list yet, and says what to list. */
export async function putShard(
  store: Store,
  name: string,
  shard: ShardBuilder,
  rejected: number,
): Promise<ShardEntry> {
  const files = shard.files();
  await store.putFolder(shardFolder(name), files);
  const described = [...files].map(([file, chunks]) => {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return [file, { bytes, sha256: hash.digest("hex") }] as const;
  });
  return { name, images: shard.images, rejected, files: Object.fromEntries(described) };
}

/** Lists these shards instead, then removes the folders that are no longer listed. */
export async function replaceShards(
  store: Store,
  manifest: Manifest,
  shards: readonly ShardEntry[],
): Promise<Manifest> {
  const replaced = { ...manifest, shards: [...shards] };
  await writeManifest(store, replaced);
  await removeUnlisted(store, replaced);
  return replaced;
}

/** Removes what an earlier run left behind: shards that are not listed, and half-written ones. */
export async function removeUnlisted(store: Store, { shards }: Manifest): Promise<void> {
  const kept = new Set(shards.map(({ name }) => name));
  for (const name of await store.list("shards")) if (!kept.has(name)) await store.remove(shardFolder(name));
}
