import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { demoResultSchema } from "../../src/results/demo.ts";
import { BIAS_BACKGROUNDS, BIASED_CONCEPTS } from "../../src/world/splits.ts";
import { expectError, runCli, runOk, startCli, testFolder } from "./cli.ts";

const parse = (stdout: string) => demoResultSchema.parse(JSON.parse(stdout));

describe("demo", () => {
  it("draws a corpus into its cache once, and finds it there the second time", async () => {
    const cache = await testFolder();
    const env = { CLIP_INTERPRET_CACHE: cache };
    const args = ["demo", "--scenes", "30", "--size", "64", "--json"];
    const first = parse(await runOk(args, { env }));
    expect(first).toMatchObject({ split: "demo", images: 30, size: 64, drawn: 30 });
    expect(first.folder.startsWith(cache)).toBe(true);
    expect(await readdir(join(first.folder, "images"))).toHaveLength(30);
    expect(await readdir(join(first.folder, "masks"))).toHaveLength(30);
    const { width, height } = await sharp(join(first.folder, "overview.png")).metadata();
    expect([width, height]).toEqual([12 * 100 - 4, 3 * 100 - 4]);
    expect(parse(await runOk(args, { env }))).toEqual({ ...first, drawn: 0 });
  });

  it("draws other splits: of the balanced one, biased concepts on both colours", async () => {
    const folder = join(await testFolder(), "balanced");
    await runOk(["demo", "--split", "balanced", "--scenes", "40", "--size", "32", "--out", folder]);
    const lines = (await readFile(join(folder, "scenes.jsonl"), "utf8")).trimEnd().split("\n");
    const scenes = lines.map((line) => JSON.parse(line));
    expect(scenes.every(({ label }) => BIASED_CONCEPTS.includes(label))).toBe(true);
    expect(new Set(scenes.map(({ scene }) => scene.background))).toEqual(new Set(BIAS_BACKGROUNDS));
  });

  it("stops at Ctrl-C and goes on from there", async () => {
    const folder = join(await testFolder(), "stopped");
    const args = ["demo", "--scenes", "120", "--size", "256", "--out", folder];
    const { child, result } = startCli(args);
    while ((await readdir(join(folder, "masks")).catch(() => [])).length < 8) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 130, stderr: expect.stringContaining("CANCELLED") });
    const { drawn, images } = parse(await runOk([...args, "--json"]));
    expect(drawn).toBeLessThan(images);
    expect(drawn).toBeGreaterThan(0);
  });

  it("leaves a folder alone that holds something else", async () => {
    const folder = await testFolder();
    await writeFile(join(folder, "thesis.txt"), "years of work");
    expectError(await runCli(["demo", "--scenes", "3", "--out", folder]), "CORPUS_MISMATCH");
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it.each([
    ["an unknown split", ["--split", "nowhere"]],
    ["no pictures", ["--scenes", "0"]],
    ["pictures too small to see", ["--size", "3"]],
  ])("refuses %s", async (_, args) => {
    expectError(await runCli(["demo", ...args]), "USAGE");
  });
});
