import type { ClipModel } from "../model/clip-model.ts";
import { textOf } from "../support/binary.ts";
import { inTurn } from "../support/turns.ts";
import type { WebBytes } from "../support/web-bytes.ts";
import { assembleIndex } from "./assemble-index.ts";
import { MANIFEST_FILE, type Manifest, parseManifest, requireModelOf } from "./manifest.ts";
import type { ReadableStore } from "./plain-store.ts";
import { requireWholeShard, shardFolder } from "./read-shard.ts";
import { createSearch, type Search } from "./search.ts";
import { AT_ONCE, type ShardedIndex } from "./sharded-index.ts";

/**
 * Opens an index that lies on a web server, as its command wrote it, and reads what is asked of it by HTTP ranges: of heads those
 * that are asked for. All of its shards must be whole.
 *
 * @param address of the index's folder
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `INDEX_INVALID`, `INDEX_CORRUPT`; `INDEX_MISMATCH` for an index of another model
 */
export async function openWebIndex(
  model: ClipModel,
  address: string,
  files: WebBytes,
): Promise<Search<ShardedIndex>> {
  const { folder, manifest } = await readWebManifest(address, files);
  await requireModelOf({ manifest, folder }, model);
  const index = await openWebShards({ folder, manifest }, files);
  return createSearch(index, model.geometry, model.matmul);
}

/** What an index on a web server holds. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `INDEX_INVALID` */
export async function readWebManifest(
  address: string,
  files: WebBytes,
): Promise<{ readonly folder: string; readonly manifest: Manifest }> {
  const folder = address.replace(/\/$/, "");
  const manifest = parseManifest(textOf(await files.read(`${folder}/${MANIFEST_FILE}`)), folder);
  return { folder, manifest };
}

/** The rows and numbers of an index on a web server. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `INDEX_CORRUPT` */
export async function openWebShards(
  { folder, manifest }: { readonly folder: string; readonly manifest: Manifest },
  files: WebBytes,
): Promise<ShardedIndex> {
  const store = webStore(folder, manifest, files);
  const looked = inTurn(manifest.shards, AT_ONCE, (shard) => requireWholeShard(store, manifest, shard));
  for await (const _ of looked);
  return assembleIndex(store, manifest, manifest.shards);
}

/** What a manifest lists. Sizes are its own: a file of another is found when it is read. */
function webStore(where: string, { shards }: Manifest, files: WebBytes): ReadableStore {
  const sizes = new Map<string, number>(
    shards.flatMap(({ name, files: own }) =>
      Object.entries(own).map(([file, { bytes }]) => [`${shardFolder(name)}/${file}`, bytes] as const),
    ),
  );
  return {
    where,
    read: (name) => files.read(`${where}/${name}`),
    async readRange(name, offset, length) {
      const data = await files.fill(`${where}/${name}`, [[offset, offset + length]]);
      return data.slice(offset, offset + length) as Uint8Array<ArrayBuffer>;
    },
    size: async (name) => sizes.get(name),
  };
}
