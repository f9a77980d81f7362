import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { buildPart, mergeParts, parsePart, partOf } from "../../src/corpus/parts.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { runHere } from "../support/run-cli.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const OF = 3;

let scratch: string;
let model: ClipModel;
let images: string;
let source: Source;
let whole: string;
let index: string;
let count = 0;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "index-parts-"));
  images = join(scratch, "images");
  cpSync(SCENES, images, { recursive: true });
  writeFileSync(join(images, "broken.png"), "no picture");
  source = await scanSource(images);
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  whole = join(scratch, "whole.index");
  await buildIndex(model, source, whole);
});
afterAll(async () => {
  await model.release();
  rmSync(scratch, { recursive: true });
});
beforeEach(() => {
  index = join(scratch, `${++count}.index`);
});

const part = (number: number, options = {}, of = OF) =>
  buildPart(model, source, index, { number, of }, { shardSize: 4, ...options });

/** What an index holds of each image: its row and every number. */
async function contents(folder: string) {
  const warnings: string[] = [];
  const {
    images: rows,
    rejected,
    manifest,
    ...read
  } = await readIndex(folder, {
    report: (event) => void warnings.push(JSON.stringify(event)),
  });
  expect(warnings).toEqual([]);
  const { layers, heads, headDim, embedDim } = manifest;
  const [scalars, embeddings] = [await read.scalars(), await read.embeddings()];
  const z = await Promise.all(
    Array.from({ length: layers * heads }, (_, unit) => read.head(Math.floor(unit / heads), unit % heads)),
  );
  const of = (array: Float32Array, row: number, width: number) =>
    Buffer.from(array.slice(row * width, (row + 1) * width).buffer).toString("base64");
  const held = rows.map((row, i) => ({
    row,
    scalars: of(scalars, i, 3),
    embedding: of(embeddings, i, embedDim),
    z: z.map((unit) => of(unit, i, headDim)).join(),
  }));
  const byPath = <T extends { path: string }>(a: T, b: T) => (a.path < b.path ? -1 : 1);
  return {
    held: held.sort((a, b) => byPath(a.row, b.row)),
    rejected: [...rejected].sort(byPath),
    moments: await read.moments(),
  };
}

async function expectWhole(): Promise<void> {
  const [one, other] = [await contents(index), await contents(whole)];
  expect(one.held).toEqual(other.held);
  expect(one.rejected).toEqual(other.rejected);
  expect(readdirSync(index)).not.toContain("parts");
  for (const [i, moment] of one.moments.entries())
    expect(Math.abs(moment - other.moments[i])).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(moment)));
}

describe("an index of parts", () => {
  it("holds what one made at once holds, bit for bit, put together by the part that is last", async () => {
    expect((await part(3)).missing).toEqual([1, 2]);
    expect((await part(1)).missing).toEqual([2]);
    await expect(readIndex(index)).rejects.toMatchObject({ code: "INDEX_INVALID" });
    const last = await part(2);
    expect(last).toMatchObject({ folder: index, missing: [], images: 24, rejected: 1, added: 25 });
    await expectWhole();
  });

  it("has each image in one part, which the number of parts and its path decide", () => {
    const parts = source.images.map(({ path }) => partOf(path, OF));
    expect(new Set(parts)).toEqual(new Set([1, 2, 3]));
    expect(source.images.map(({ path }) => partOf(path, 1))).toEqual(source.images.map(() => 1));
    // The same on every machine, for ever.
    expect(partOf("a.png", 1000)).toBe(846);
  });

  it("takes in images that are added later, and moves none", async () => {
    const { images: all } = source;
    const early = { ...source, images: all.slice(0, 15) };
    for (const number of [1, 2, 3])
      await buildPart(model, early, index, { number, of: OF }, { shardSize: 4 });
    const before = JSON.parse(readFileSync(join(index, "manifest.json"), "utf8")).shards;
    expect((await readIndex(index)).images).toHaveLength(15 - (await readIndex(index)).rejected.length);
    for (const number of [2, 1, 3]) await part(number);
    const { shards } = JSON.parse(readFileSync(join(index, "manifest.json"), "utf8"));
    expect(shards.slice(0, before.length)).toEqual(before);
    await expectWhole();
  });

  it("takes no image twice that another run indexed meanwhile", async () => {
    await part(1);
    await part(2);
    const early = { ...source, images: source.images.slice(0, 9) };
    await buildIndex(model, early, index);
    await part(3);
    await expectWhole();
  });

  it("is put together again where that was stopped, at whatever step", async () => {
    await part(1);
    await part(2);
    cpSync(index, `${index}-parts`, { recursive: true });
    await part(3);
    const shards = readdirSync(join(index, "shards"));
    // Listed, but the parts were not removed yet.
    cpSync(join(`${index}-parts`, "parts"), join(index, "parts"), { recursive: true });
    await part(3);
    expect(readdirSync(join(index, "shards"))).toEqual(shards);
    await expectWhole();
    // Copied, but not listed yet.
    cpSync(join(index, "shards/000000"), join(index, "shards/000099"), { recursive: true });
    await mergeParts(index);
    expect(readdirSync(join(index, "shards"))).toEqual(shards);
  });

  it("goes on with a part that was stopped, and does not count it as finished before", async () => {
    await part(1);
    await part(2);
    const controller = new AbortController();
    const stop = part(3, {
      batch: 1,
      signal: controller.signal,
      report: ({ type }: { type: string }) => type === "advance" && controller.abort(),
    });
    await expect(stop).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(mergeParts(index)).rejects.toMatchObject({
      code: "PARTS_MISSING",
      message: expect.stringMatching(/one is not finished: 3$/),
    });
    await part(3);
    await expectWhole();
  });

  it("refuses parts that do not belong together, and damaged ones", async () => {
    await part(1, { dtype: "float32" });
    await expect(part(1, {}, 4)).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
    await part(2);
    await expect(part(3)).rejects.toMatchObject({
      code: "INDEX_MISMATCH",
      message: expect.stringContaining("dtype is float16 there, float32 here"),
    });
    rmSync(join(index, "parts/1-of-3"), { recursive: true });
    await part(1).catch(() => {});
    await expectWhole();
    await expect(mergeParts(join(scratch, "nothing"))).rejects.toMatchObject({ code: "PARTS_MISSING" });
  });

  it("says which shard of which part is not what was written", async () => {
    await part(1);
    await part(2);
    const file = join(index, "parts/2-of-3/shards/000000/heads.npy");
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(file, bytes);
    await expect(part(3)).rejects.toMatchObject({
      code: "INDEX_CORRUPT",
      hint: expect.stringContaining("2/3"),
    });
    rmSync(join(index, "parts/2-of-3/shards/000000"), { recursive: true });
    await part(2);
    await expectWhole();
  });
});

describe("by command", () => {
  it("says what a part is, what is missing, and puts together on demand", async () => {
    const run = (...more: string[]) => runHere("index", images, "--out", index, ...more);
    const first = await run("--part", "1/2");
    expect(first.stdout).toContain("this is part 1 of 2; not finished yet: 2");
    const missing = await runHere("index", "--out", index, "--merge");
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("PARTS_MISSING") });
    const last = JSON.parse((await run("--part", "2/2", "--json")).stdout);
    expect(last).toMatchObject({ images: 24, part: { number: 2, of: 2, missing: [] } });
    const again = JSON.parse((await runHere("index", "--out", index, "--merge", "--json")).stdout);
    expect(again).toMatchObject({ images: 24, added: 0, part: null });
    await expectWhole();
    expect(await run("--part", "1/2", "--prune")).toMatchObject({ code: 1 });
  });

  it.each(["0/3", "4/3", "1", "1/0", "1/1000000", "a/b", "1/3/4"])("refuses the part %s", (text) => {
    expect(() => parsePart(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
