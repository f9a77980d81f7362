/** An index in a store: the same numbers as in a folder, whatever the store does meanwhile, and whoever else writes. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { checkIndex, readIndex } from "../../src/corpus/open-index.ts";
import { openManifest } from "../../src/corpus/open-shards.ts";
import { buildPart, mergeParts } from "../../src/corpus/parts.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { runHere } from "../support/run-cli.ts";
import { startTestStore, type TestStore } from "../support/s3-server.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const IMAGES = 6;

let server: TestStore;
let scratch: string;
let model: ClipModel;
let source: Source;
let whole: string;
let count = 0;
let index: string;
beforeAll(async () => {
  server = await startTestStore();
  scratch = mkdtempSync(join(tmpdir(), "index-in-store-"));
  const images = join(scratch, "images");
  for (const name of readdirSync(SCENES).slice(0, IMAGES)) cpSync(join(SCENES, name), join(images, name));
  source = await scanSource(images);
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  whole = join(scratch, "whole.index");
  await buildIndex(model, source, whole, { shardSize: 3 });
});
beforeEach(() => {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, "cache"));
  index = `${server.address}/indexes/${++count}`;
});
afterEach(() => {
  server.fault = undefined;
  server.listing = undefined;
});
afterAll(async () => {
  await model.release();
  await server.close();
  rmSync(scratch, { recursive: true });
});

const build = (how = {}) => buildIndex(model, source, index, { shardSize: 3, ...how });
/** Checksums of every array and row, shard by shard. */
const sums = async (folder: string) => (await openManifest(folder)).manifest.shards.map(({ files }) => files);
/** What an index holds of each image, in the order of their paths. */
async function contents(folder: string) {
  const { images, ...read } = await readIndex(folder);
  const heads = await read.head(3, 1);
  const embeddings = await read.embeddings();
  const width = [heads.length / images.length, embeddings.length / images.length];
  return images
    .map((row, i) => ({
      row,
      z: heads.slice(i * width[0], (i + 1) * width[0]),
      embedding: embeddings.slice(i * width[1], (i + 1) * width[1]),
    }))
    .sort((a, b) => (a.row.path < b.row.path ? -1 : 1));
}

describe("an index in a store", () => {
  it("holds the same bytes as one in a folder, though one request in five goes wrong", async () => {
    const kinds = ["refuse", "cut", "truncate", "late"] as const;
    let n = 0;
    server.fault = () => (++n % 5 === 0 ? kinds[(n / 5) % kinds.length] : undefined);
    const built = await build();
    expect(built).toMatchObject({ folder: index, images: IMAGES, shards: 2, added: IMAGES });
    expect(await sums(index)).toEqual(await sums(whole));
    expect(await contents(index)).toEqual(await contents(whole));
    expect(await checkIndex(index)).toMatchObject({ corrupt: [], changed: [], missing: [] });
    expect(await build()).toMatchObject({ images: IMAGES, added: 0 });
    expect(n).toBeGreaterThan(50);
  });

  it("loses and repeats nothing where two machines index the same images at once", async () => {
    const machines = ["a", "b"].map((machine) => {
      vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, machine));
      return build();
    });
    for (const built of await Promise.all(machines)) expect(built.images).toBe(IMAGES);
    expect(await sums(index)).toEqual(await sums(whole));
    expect(await contents(index)).toEqual(await contents(whole));
  });

  it("is put together from parts, where the last two finish at once and listings are an hour old", async () => {
    server.listing = async () =>
      Buffer.from(
        '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
      );
    const parts = [1, 2].map((number) => {
      vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, `part-${number}`));
      return buildPart(model, source, index, { number, of: 2 }, { shardSize: 3 });
    });
    await Promise.all(parts);
    await mergeParts(index);
    expect(await contents(index)).toEqual(await contents(whole));
  });

  it("is read right or not at all: a store that fails leaves out no shard", async () => {
    await build();
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    // What was read before is not kept here.
    vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, "nothing-read-yet"));
    server.fault = ({ key }) => (key.includes("/shards/000001") ? "truncate" : undefined);
    await expect(readIndex(index)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    server.fault = undefined;
    const opened = await readIndex(index);
    server.fault = ({ key }) => (key.includes("/shards/000001") ? "refuse" : undefined);
    await expect(opened.head(0, 0)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    server.fault = undefined;
    // What another program wrote there instead.
    const [{ name }] = opened.manifest.shards;
    const file = `shards/${name}/heads.npy`;
    const bytes = await storeAt(index).read(file);
    bytes.writeUInt16LE(0x3c00, bytes.length - 2);
    await storeAt(index).put(file, [bytes.fill(0x3c, 200)]);
    vi.stubEnv("CLIP_INTERPRET_CACHE", join(scratch, "nothing-read-again"));
    const changed = await readIndex(index);
    await expect(changed.head(0, 0)).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
  });

  it("answers commands by its address, and keeps no trace of this machine's folders", async () => {
    const out = await runHere("index", join(scratch, "images"), "--out", index, "--json");
    expect(JSON.parse(out.stdout)).toMatchObject({ folder: index, images: IMAGES });
    const near = await runHere(
      "neighbors",
      "--index",
      index,
      "--heads",
      "last4",
      "--text",
      "a dog",
      "--json",
    );
    expect(JSON.parse(near.stdout).neighbors).toHaveLength(IMAGES);
    const local = await runHere(
      "neighbors",
      "--index",
      whole,
      "--heads",
      "last4",
      "--text",
      "a dog",
      "--json",
    );
    expect(JSON.parse(near.stdout).neighbors).toEqual(JSON.parse(local.stdout).neighbors);
    const checked = await runHere("index", "--check", "--out", index, "--json");
    expect(JSON.parse(checked.stdout)).toMatchObject({ corrupt: [], changed: [], missing: [] });
    expect(server.asked.filter(({ method, key }) => method === "PUT" && /journal|\.lock/.test(key))).toEqual(
      [],
    );
  });
});
