import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";

const TEXTS = Array.from({ length: 130 }, (_, i) => `${i % 2 ? "a cat" : "a picture of two dogs"} ${i}`);

let scratch: string;
let cacheFolder: string;
let model: ClipModel;
let events: ProgressEvent[];
const report = (event: ProgressEvent) => void events.push(event);
const warnings = () => events.filter((event) => event.type === "warning");
const wasComputed = () => events.some(({ type }) => type === "start");

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "text-cache-"));
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
});
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});
beforeEach(async () => {
  cacheFolder = join(await mkdtemp(join(scratch, "case-")), "texts");
  events = [];
});

/** The only file of the cache. */
async function onlyFile(): Promise<string> {
  const names = await readdir(cacheFolder);
  expect(names).toHaveLength(1);
  return join(cacheFolder, names[0]);
}

describe("kept text embeddings", () => {
  it("are the model's own, bit for bit, computed once and with progress", async () => {
    const expected = await model.encodeTexts(TEXTS);
    expect(await embedTexts(model, TEXTS, { cacheFolder, report })).toEqual(expected);
    expect(events.filter(({ type }) => type === "advance").length).toBeGreaterThan(1);
    events = [];
    expect(await embedTexts(model, TEXTS, { cacheFolder, report })).toEqual(expected);
    expect(events).toEqual([]);
    await onlyFile();
  });

  it("are not taken for those of other texts, another order, another precision or other weights", async () => {
    const [texts, turned] = [TEXTS.slice(0, 4), TEXTS.slice(0, 4).reverse()];
    const first = await embedTexts(model, texts, { cacheFolder });
    const others: [ClipModel, readonly string[]][] = [
      [model, turned],
      [model, texts.slice(1)],
      [{ ...model, precision: "int8" }, texts],
      [{ ...model, weightsHash: async () => "others" }, texts],
      [
        { ...model, config: { ...model.config, text: { ...model.config.text, activation: "quick_gelu" } } },
        texts,
      ],
    ];
    for (const [i, [other, list]] of others.entries()) {
      events = [];
      await embedTexts(other, list, { cacheFolder, report });
      expect(wasComputed(), `case ${i}`).toBe(true);
      expect(await readdir(cacheFolder)).toHaveLength(i + 2);
    }
    const rows = await embedTexts(model, turned, { cacheFolder });
    const { embedDim } = model.config;
    expect(rows.slice(3 * embedDim)).toEqual(first.slice(0, embedDim));
  });

  it.each([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length - 4)],
    ["empty", () => Buffer.alloc(0)],
    ["with one bit turned", (bytes: Buffer) => bytes.with(100, bytes[100] ^ 1)],
    ["with another digest", (bytes: Buffer) => bytes.with(0, bytes[0] ^ 1)],
  ])("are computed anew, with a warning, where the file is damaged: %s", async (_, damage) => {
    const expected = await embedTexts(model, TEXTS, { cacheFolder });
    const path = await onlyFile();
    const whole = await readFile(path);
    await writeFile(path, damage(whole));
    expect(await embedTexts(model, TEXTS, { cacheFolder, report })).toEqual(expected);
    expect(warnings()).toMatchObject([{ code: "CACHE_DAMAGED", message: expect.stringContaining(path) }]);
    expect(await readFile(path)).toEqual(whole);
  });

  it("are not needed: where the cache cannot be written, a warning says so", async () => {
    await writeFile(cacheFolder, "a file where the folder would be");
    const embeddings = await embedTexts(model, TEXTS.slice(0, 3), { cacheFolder, report });
    expect(embeddings).toEqual(await model.encodeTexts(TEXTS.slice(0, 3)));
    expect(warnings()).toMatchObject([{ code: "INPUT_UNREADABLE" }, { code: "OUTPUT_UNWRITABLE" }]);
  });

  it("say each time which text was cut off", async () => {
    const long = Array.from({ length: 60 }, () => "cat").join(" ");
    for (let time = 0; time < 2; time++) {
      events = [];
      await embedTexts(model, ["a dog", long], { cacheFolder, report });
      expect(warnings()).toMatchObject([{ code: "TEXT_TRUNCATED" }]);
    }
  });

  it("go on where they were stopped, and leave no half-written file", async () => {
    const many = Array.from({ length: 1100 }, (_, i) => `a cat and ${i} dogs`);
    const stop = new AbortController();
    const work = embedTexts(model, many, {
      cacheFolder,
      signal: stop.signal,
      report: (event) => event.type === "advance" && event.done > 600 && stop.abort(),
    });
    await expect(work).rejects.toMatchObject({ code: "CANCELLED" });
    await onlyFile();
    expect(await embedTexts(model, many, { cacheFolder, report })).toEqual(await model.encodeTexts(many));
    expect(events[0]).toMatchObject({ type: "start", total: 1100 - 512 });
    expect(events.at(-1)).toMatchObject({ type: "end", done: 1100 - 512 });
    expect(await readdir(cacheFolder)).toHaveLength(3);
  });

  it("are written whole by two runs at once", async () => {
    const [a, b] = await Promise.all([1, 2].map(() => embedTexts(model, TEXTS, { cacheFolder, report })));
    expect(a).toEqual(b);
    await onlyFile();
    expect(warnings()).toEqual([]);
  });
});
