import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imagenetClasses } from "../../src/analysis/zero-shot/imagenet.ts";
import type { ZeroShotResult } from "../../src/results/zero-shot.ts";
import { runHere } from "../support/run-cli.ts";

/* A folder in ImageNet's layout: a WordNet id a folder, and files that end in .JPEG. */

let scratch: string;
let index: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "imagenet-"));
  const folder = join(scratch, "val");
  const photos = { n02123045: "cat.jpg", n07873807: "pizza.jpg", n02206856: "bee.jpg" };
  for (const [wnid, photo] of Object.entries(photos)) {
    await mkdir(join(folder, wnid), { recursive: true });
    await cp(`examples/photos/${photo}`, join(folder, wnid, "ILSVRC2012_val_00000293.JPEG"));
  }
  index = join(scratch, "index");
  expect((await runHere("index", folder, "--out", index)).code).toBe(0);
});
afterAll(() => rm(scratch, { recursive: true }));

const evaluate = async (...more: string[]) => {
  const { code, stdout, stderr } = await runHere(
    ...["evaluate", "zero-shot", "--index", index, "--no-layers", "--random", "0", "--json", ...more],
  );
  expect(stderr).not.toContain("error");
  expect(code).toBe(0);
  return JSON.parse(stdout) as ZeroShotResult;
};

describe("a folder in ImageNet's layout", () => {
  it("is classified by the names of its ids, in the order of ImageNet's numbers", async () => {
    const { classes, images, whole } = await evaluate();
    expect([images, classes]).toEqual([3, 3]);
    expect(whole.classes.map(({ name, n }) => [name, n])).toEqual([
      ["tabby cat", 1],
      ["bee", 1],
      ["pizza", 1],
    ]);
  });

  it("competes with all 1,000 where that is asked for", async () => {
    // One text a class: 80,000 of them take minutes.
    const { classes, images, whole } = await evaluate("--classes", "imagenet", "--template", "{}");
    expect([images, classes]).toEqual([3, 1000]);
    expect(whole.classes.map(({ name }) => name)).toEqual(["tabby cat", "bee", "pizza"]);
  });
});

describe("ImageNet's classes", () => {
  const all = imagenetClasses([], { every: true }).classes;

  it("are 1,000, each with 80 texts and a name of its own", () => {
    expect(all).toHaveLength(1000);
    expect(new Set(all.map(({ name }) => name)).size).toBe(1000);
    for (const { texts } of all) expect(new Set(texts).size).toBe(80);
    expect(all[0]).toMatchObject({ name: "tench", values: ["n01440764"] });
    expect(all[0].texts[0]).toBe("a bad photo of a tench.");
    expect(all[0].texts[79]).toBe("a tattoo of the tench.");
    expect(all[999]).toMatchObject({ name: "toilet paper", values: ["n15075141"] });
    const ids = all.map(({ values: [id] }) => id);
    expect([...ids].sort()).toEqual(ids);
  });

  it("of one name are told apart by their ids, which no text speaks of", () => {
    const missiles = all.filter(({ name }) => name.startsWith("missile"));
    expect(missiles.map(({ name }) => name)).toEqual(["missile (n03773504)", "missile (n04008634)"]);
    expect(missiles[0].texts).toEqual(missiles[1].texts);
  });

  it("are known by the last folder of a path, and refused where they are none of the 1,000", () => {
    const { classes } = imagenetClasses(["train/n01440764", "val/n01440764", "val/n01443537"]);
    expect(classes.map(({ name, values }) => [name, values])).toEqual([
      ["tench", ["train/n01440764", "val/n01440764"]],
      ["goldfish", ["val/n01443537"]],
    ]);
    expect(() => imagenetClasses(["n99999999"])).toThrow("n99999999 is none of ImageNet's 1,000 classes");
  });
});
