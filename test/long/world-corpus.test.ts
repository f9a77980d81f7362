import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { CONCEPTS } from "../../src/world/concepts.ts";
import { DEMO, planCorpus, readCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { repositoryPath } from "../e2e/cli.ts";

const EXAMPLES = repositoryPath("examples/scenes");

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "corpus-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const pixels = (path: string) => sharp(path).raw().toBuffer();
const plan = (n: number, size = 64) =>
  planCorpus({ split: "demo", size, indices: Array.from({ length: n }, (_, i) => i) });

const listing = async (folder: string) => (await readdir(folder, { recursive: true })).sort();

describe("the example scenes", async () => {
  const lines = (await readFile(join(EXAMPLES, "scenes.jsonl"), "utf8")).trimEnd().split("\n");
  const numbered = z.object({ scene: z.object({ index: z.int() }) });
  const indices = lines.map((line) => numbered.parse(JSON.parse(line)).scene.index);

  it("are what the demo corpus holds, pixel by pixel and word by word", async () => {
    const folder = await temporary();
    await writeCorpus(folder, await planCorpus({ ...DEMO, indices }));
    expect(await listing(folder)).toEqual(await listing(EXAMPLES));
    for (const name of ["scenes.jsonl", "world.json", "README.md"]) {
      expect(await readFile(join(folder, name), "utf8")).toBe(await readFile(join(EXAMPLES, name), "utf8"));
    }
    for (const { path, mask } of await readCorpus(EXAMPLES)) {
      for (const name of [path, mask]) {
        const [now, committed] = await Promise.all([join(folder, name), join(EXAMPLES, name)].map(pixels));
        expect(now.equals(committed), name).toBe(true);
      }
    }
  });

  it("are 24, and show every style, effect and number of objects", async () => {
    const rows = await readCorpus(EXAMPLES);
    const values = (factor: string) => new Set(rows.map(({ factors }) => factors[factor])).size;
    expect(rows.length).toBe(24);
    expect([values("style"), values("effect"), values("count")]).toEqual([4, 6, 5]);
  });
});

describe("a corpus", () => {
  it("has a mask for every object: as many numbers as objects, and the rest of the picture 0", async () => {
    const folder = await temporary();
    await writeCorpus(folder, await plan(40));
    for (const { mask, factors } of await readCorpus(folder)) {
      const image = sharp(join(folder, mask));
      expect((await image.metadata()).channels).toBe(1);
      const found = [...new Set(await image.raw().toBuffer())].sort();
      const objects = Number(factors.count ?? 2);
      expect(found).toEqual(Array.from({ length: objects + 1 }, (_, k) => k));
    }
  });

  it("labels every picture with its concept, and gives null for a factor that it does not have", async () => {
    const folder = await temporary();
    await writeCorpus(folder, await plan(60));
    const names = CONCEPTS.map(({ name }) => name);
    for (const { label, factors } of await readCorpus(folder)) {
      expect(names).toContain(label);
      expect(factors.concept).toBe(label);
      expect(factors.count === null).toBe(factors.other !== null);
      expect(factors.background === null).toBe(factors.effect === "black and white");
    }
  });

  it("goes on where it was stopped, and is then what it would have been", async () => {
    const [whole, stopped] = [await temporary(), await temporary()];
    await writeCorpus(whole, await plan(40));
    const stop = new AbortController();
    const report = (event: { type: string; done?: number }) => {
      if (event.type === "advance" && event.done === 16) stop.abort();
    };
    await expect(writeCorpus(stopped, await plan(40), { report, signal: stop.signal })).rejects.toMatchObject(
      {
        code: "CANCELLED",
      },
    );
    expect(await listing(stopped)).not.toContain("scenes.jsonl");
    expect(await writeCorpus(stopped, await plan(40))).toBe(24);
    expect(await listing(stopped)).toEqual(await listing(whole));
    for (const name of (await listing(whole)).filter((entry) => entry.includes("."))) {
      expect((await readFile(join(stopped, name))).equals(await readFile(join(whole, name))), name).toBe(
        true,
      );
    }
    expect(await writeCorpus(stopped, await plan(40))).toBe(0);
  });

  it("does not touch a folder that holds something else", async () => {
    const folder = await temporary();
    await writeFile(join(folder, "thesis.txt"), "years of work");
    await expect(writeCorpus(folder, await plan(4))).rejects.toMatchObject({ code: "CORPUS_MISMATCH" });
    expect(await listing(folder)).toEqual(["thesis.txt"]);
    const other = await temporary();
    await writeCorpus(other, await plan(4));
    await expect(writeCorpus(other, await plan(5))).rejects.toMatchObject({ code: "CORPUS_MISMATCH" });
    await expect(writeCorpus(other, await plan(4, 96))).rejects.toMatchObject({ code: "CORPUS_MISMATCH" });
  });

  it("says which line of a damaged list is damaged", async () => {
    const folder = await temporary();
    await writeCorpus(folder, await plan(3));
    const path = join(folder, "scenes.jsonl");
    const lines = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, [lines[0], lines[1].slice(0, 50), lines[2]].join("\n"));
    await expect(readCorpus(folder)).rejects.toMatchObject({
      code: "JSON_INVALID",
      message: expect.stringContaining("line 2"),
    });
  });
});
