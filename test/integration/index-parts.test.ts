import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import {
  buildPart,
  buildPlanned,
  mergeParts,
  parsePart,
  partOf,
  planParts,
  unfinishedParts,
} from "../../src/corpus/parts.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { expectSameIndex } from "../support/index-contents.ts";
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

const expectWhole = () => expectSameIndex(index, whole);

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

describe("parts that are planned", () => {
  const plan = (of?: number) => planParts(model, source, index, of, { shardSize: 4 });
  const compute = (number: number, options = {}) =>
    buildPlanned(model, index, { number, of: OF }, { shardSize: 4, ...options });

  it("need no look at the images' folder, and are put together by the last", async () => {
    const planned = await plan(OF);
    expect(planned.map(({ part: { number, of } }) => [number, of])).toEqual([1, 2, 3].map((n) => [n, OF]));
    expect(planned.reduce((sum, one) => sum + one.images, 0)).toBe(25);
    expect((await compute(2)).missing).toEqual([3]);
    expect((await compute(3)).missing).toEqual([1]);
    expect(await unfinishedParts(index)).toEqual([{ number: 1, of: OF }]);
    expect((await compute(1)).missing).toEqual([]);
    expect(await unfinishedParts(index)).toBeUndefined();
    await expectWhole();
    // A process that comes late with a part of it.
    expect(await compute(2)).toEqual({ missing: [], images: 0, rejected: 0 });
    expect(readdirSync(index)).not.toContain("parts");
    expect(await plan()).toEqual([]);
  });

  it("are the same for a second one who plans, who has seen other images and wants another number", async () => {
    const early = { ...source, images: source.images.slice(0, 9) };
    await plan(OF);
    const again = await planParts(model, early, index, 7);
    expect(again.map(({ part: { of } }) => of)).toEqual([OF, OF, OF]);
    expect(again.reduce((sum, one) => sum + one.images, 0)).toBe(25);
  });

  it("hold the same where two compute one at once, each sure that it is alone", async () => {
    await plan(OF);
    await Promise.all([compute(1), compute(2)]);
    // The lock of one that was stopped for long is taken over, and then it wakes.
    let second: Promise<unknown> | undefined;
    const first = compute(3, {
      batch: 1,
      report: ({ type }: { type: string }) => {
        if (type !== "advance" || second) return;
        rmSync(join(index, `parts/3-of-${OF}/.lock`));
        second = compute(3, { batch: 1 });
        second.catch(() => {});
      },
    });
    const ends = await Promise.allSettled([
      first,
      first.then(
        () => second,
        () => second,
      ),
    ]);
    // Who came second may find that all is done, or that the part is gone, or take away what the first one lists.
    for (const end of ends)
      if (end.status === "rejected")
        expect(end.reason.code).toMatch(/^(INDEX_CHANGED|INDEX_GONE|INPUT_NOT_FOUND|OUTPUT_UNWRITABLE)$/);
    for (let i = 0; i < 2 && (await unfinishedParts(index)) !== undefined; i++) await compute(3);
    await expectWhole();
  });

  it("are computed again where files are gone that a finished one lists", async () => {
    await plan(OF);
    await compute(1);
    await compute(2);
    rmSync(join(index, "parts/1-of-3/shards/000000"), { recursive: true });
    expect((await compute(3)).missing).toEqual([1]);
    expect(await unfinishedParts(index)).toEqual([{ number: 1, of: OF }]);
    expect((await compute(1)).missing).toEqual([]);
    await expectWhole();
  });

  it("are refused to a model that is not the index's, before anything is computed", async () => {
    await plan(OF);
    const other = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL, {
      precision: "int8",
    });
    await expect(buildPlanned(other, index, { number: 1, of: OF })).rejects.toMatchObject({
      code: "INDEX_MISMATCH",
    });
    await other.release();
    expect(readdirSync(join(index, "parts"))).toEqual([
      ...[1, 2, 3].map((n) => `${n}-of-${OF}.jsonl`),
      "division.json",
    ]);
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
