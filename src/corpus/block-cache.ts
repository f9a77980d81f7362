import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ownCacheFolder } from "../support/environment.ts";
import { sha256Of } from "../support/hash.ts";
import type { Manifest } from "./manifest.ts";
import { shardFolder } from "./read-shard.ts";
import type { Store } from "./store.ts";

/** Where blocks are kept, and how much room they may take. */
export interface BlockCacheOptions {
  readonly folder?: string;
  /** Bytes; what was read least recently goes. Default: 8 GiB. */
  readonly budget?: number;
}

const BUDGET = 2 ** 33;
const DIGEST = 32;

/**
 * A store that is read through blocks on this machine: what was read of a shard's file is kept under the file's checksum in the
 * manifest, with a checksum of its own. A block that is damaged is read from the store again; where none can be kept, because the
 * disk is full or may not be written to, everything is. Files beside the shards are always read from the store.
 */
export function throughBlocks(
  store: Store,
  { shards }: Pick<Manifest, "shards">,
  { folder = join(ownCacheFolder(process.env), "blocks"), budget = BUDGET }: BlockCacheOptions = {},
): Store {
  const checksums = new Map<string, string>(
    shards.flatMap(({ name, files }) =>
      Object.entries(files).map(([file, { sha256 }]) => [`${shardFolder(name)}/${file}`, sha256] as const),
    ),
  );
  const sizes = new Map<string, number>();
  /** Bytes that are kept, as far as this process knows; other processes keep some too, so it looks again now and then. */
  let kept: Promise<number> | undefined;
  let added = 0;

  const keep = async (key: string, bytes: Uint8Array): Promise<void> => {
    if (bytes.length > budget / 4) return;
    await mkdir(folder, { recursive: true });
    const part = join(folder, `.${key}.${process.pid}`);
    await writeFile(part, [Buffer.from(sha256Of(bytes), "hex"), bytes]);
    await rename(part, join(folder, key));
    kept ??= makeRoom(folder, budget);
    added += bytes.length + DIGEST;
    if ((await kept) + added <= budget) return;
    added = 0;
    kept = makeRoom(folder, budget);
    await kept;
  };

  const through = async (name: string, range: string, read: () => Promise<Buffer<ArrayBuffer>>) => {
    const checksum = checksums.get(name);
    if (checksum === undefined) return read();
    const key = sha256Of(`${checksum} ${range}`);
    const found = await readFile(join(folder, key)).catch(() => undefined);
    if (found && found.length >= DIGEST) {
      const bytes = found.subarray(DIGEST);
      if (sha256Of(bytes) === found.toString("hex", 0, DIGEST)) {
        const now = new Date();
        await utimes(join(folder, key), now, now).catch(() => {});
        return Buffer.from(bytes) as Buffer<ArrayBuffer>;
      }
    }
    const bytes = await read();
    await keep(key, bytes).catch(() => {});
    return bytes;
  };

  return {
    ...store,
    read: (name) => through(name, "all", () => store.read(name)),
    readRange: (name, offset, length) =>
      through(name, `${offset}+${length}`, () => store.readRange(name, offset, length)),
    async size(name) {
      // What a manifest lists is never written to again.
      const size = sizes.get(name) ?? (await store.size(name));
      if (size !== undefined && checksums.has(name)) sizes.set(name, size);
      return size;
    },
  };
}

/** Removes what was read least recently until nine tenths of the budget are enough. @returns the bytes that are left */
async function makeRoom(folder: string, budget: number): Promise<number> {
  const found: { path: string; bytes: number; time: number }[] = [];
  let sum = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const entry = await stat(path).catch(() => undefined);
    if (!entry?.isFile()) continue;
    found.push({ path, bytes: entry.size, time: entry.mtimeMs });
    sum += entry.size;
  }
  if (sum <= budget) return sum;
  found.sort((a, b) => a.time - b.time);
  for (const { path, bytes } of found) {
    if (sum <= budget * 0.9) break;
    await rm(path, { force: true });
    sum -= bytes;
  }
  return sum;
}
