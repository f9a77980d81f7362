import { createSha256, sha256Of } from "../support/hash.ts";
import type { Manifest, ShardEntry } from "./manifest.ts";
import type { WritableStore } from "./plain-store.ts";
import { shardFolder } from "./read-shard.ts";
import type { ShardBuilder } from "./shard.ts";

/** The name after the highest in use. */
const nextName = ({ shards }: Pick<Manifest, "shards">): string =>
  String(shards.reduce((highest, { name }) => Math.max(highest, Number.parseInt(name, 10) + 1), 0)).padStart(
    6,
    "0",
  );

/** Writes a shard's files under a name that the manifest does not list yet, and says what to list. */
export async function putShard(
  store: WritableStore,
  manifest: Pick<Manifest, "shards">,
  shard: ShardBuilder,
  rejected: number,
): Promise<ShardEntry> {
  const files = shard.files();
  const described = [...files].map(([file, chunks]) => {
    const hash = createSha256();
    for (const chunk of chunks) hash.update(chunk);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return [file, { bytes, sha256: hash.digest() }] as const;
  });
  return placeShard(store, manifest, files, {
    ...{ images: shard.images, rejected, files: Object.fromEntries(described) },
  });
}

/**
 * Writes the files of a shard under its name in this index. Where several may write at once, that name follows from what the
 * files hold too: who is too late has written the same bytes, or other names.
 */
export async function placeShard(
  store: WritableStore,
  manifest: Pick<Manifest, "shards">,
  files: ReadonlyMap<string, readonly Uint8Array[]>,
  described: Omit<ShardEntry, "name">,
): Promise<ShardEntry> {
  const next = nextName(manifest);
  const hashes = Object.entries(described.files).map(([file, { sha256 }]) => `${file} ${sha256}\n`);
  const name = store.shared ? `${next}-${sha256Of(hashes.sort().join("")).slice(0, 16)}` : next;
  await store.putFolder(shardFolder(name), files);
  return { name, ...described };
}
