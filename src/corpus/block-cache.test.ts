import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sha256Of } from "../support/hash.ts";
import { throughBlocks } from "./block-cache.ts";
import { folderStore } from "./folder-store.ts";
import type { Store } from "./store.ts";

let scratch: string;
let blocks: string;
let asked: string[];
let store: Store;
const NAME = "shards/000000/heads.npy";
const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
const manifest = {
  shards: [
    {
      ...{ name: "000000", images: 1, rejected: 0 },
      files: { "heads.npy": { bytes: BYTES.length, sha256: sha256Of(BYTES) } },
    },
  ],
};

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "blocks-"));
  blocks = join(scratch, "blocks");
  asked = [];
  const folder = folderStore(join(scratch, "store"));
  await folder.put(NAME, [BYTES]);
  await folder.put("unread.jsonl", [BYTES]);
  store = {
    ...folder,
    readRange: (name, offset, length) => {
      asked.push(`${name} ${offset} ${length}`);
      return folder.readRange(name, offset, length);
    },
    size: (name) => {
      asked.push(`${name} size`);
      return folder.size(name);
    },
  };
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

it("asks the store once for a range of a shard's file, in this process and the next, and always for other files", async () => {
  for (let i = 0; i < 2; i++) {
    const read = throughBlocks(store, manifest, { folder: blocks });
    expect(await read.readRange(NAME, 10, 20)).toEqual(BYTES.subarray(10, 30));
    expect(await read.readRange(NAME, 10, 20)).toEqual(BYTES.subarray(10, 30));
    await read.readRange("unread.jsonl", 0, 5);
  }
  expect(asked).toEqual([`${NAME} 10 20`, "unread.jsonl 0 5", "unread.jsonl 0 5"]);
});

it("asks for a size once, and again for a file that was not there", async () => {
  const read = throughBlocks(store, manifest, { folder: blocks });
  expect([await read.size(NAME), await read.size(NAME)]).toEqual([1000, 1000]);
  await read.size("no file");
  await read.size("no file");
  expect(asked).toEqual([`${NAME} size`, "no file size", "no file size"]);
});

it("reads a block again that is damaged or cut off, and other bytes for another checksum", async () => {
  const read = throughBlocks(store, manifest, { folder: blocks });
  await read.readRange(NAME, 0, 100);
  const [file] = await readdir(blocks);
  const kept = await readFile(join(blocks, file));
  kept[50] ^= 1;
  for (const damaged of [kept, kept.subarray(0, 40), Buffer.alloc(0)]) {
    await writeFile(join(blocks, file), damaged);
    expect(await read.readRange(NAME, 0, 100)).toEqual(BYTES.subarray(0, 100));
  }
  expect(asked).toHaveLength(4);
  const [shard] = manifest.shards;
  const changed = {
    shards: [{ ...shard, files: { "heads.npy": { bytes: 1000, sha256: sha256Of("other") } } }],
  };
  await throughBlocks(store, changed, { folder: blocks }).readRange(NAME, 0, 100);
  expect(asked).toHaveLength(5);
});

it("keeps to its budget, lets go of what was read least recently, and keeps nothing that is a large part of it", async () => {
  const budget = 1000;
  const read = throughBlocks(store, manifest, { folder: blocks, budget });
  await read.readRange(NAME, 0, 600);
  expect(await readdir(blocks).catch(() => [])).toEqual([]);
  for (let i = 0; i < 9; i++) {
    await read.readRange(NAME, i * 100, 100);
    // The first is read again and again.
    await read.readRange(NAME, 0, 100);
    await new Promise((done) => setTimeout(done, 5));
    const files = await readdir(blocks);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(blocks, file))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(budget);
  }
  expect(asked.filter((range) => range === `${NAME} 0 100`)).toHaveLength(1);
});

it("reads all the same where nothing can be kept", async () => {
  await writeFile(blocks, "a file");
  const read = throughBlocks(store, manifest, { folder: blocks });
  for (let i = 0; i < 2; i++) expect(await read.readRange(NAME, 1, 2)).toEqual(BYTES.subarray(1, 3));
  expect(asked).toHaveLength(2);
});
