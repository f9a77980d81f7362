import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { fromWeightsResultSchema } from "../../src/results/from-weights.ts";
import { textspanArraysResultSchema, textspanResultSchema } from "../../src/results/textspan.ts";
import { formatNpy, parseNpy } from "../../src/support/npy.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";
import { expectError, jsonLines, repositoryPath, runCli, runOk, sharedFolder, testFolder } from "./cli.ts";

const shared = sharedFolder();
let index: string;
let env: { CLIP_INTERPRET_CACHE: string };
beforeAll(async () => {
  index = shared("index");
  env = { CLIP_INTERPRET_CACHE: shared("cache") };
  await runOk(["index", repositoryPath("examples/scenes"), "--out", index]);
});

const GOLDEN = "textspan-offset";
const arrays = (...more: string[]) => [
  ...["textspan", "--contributions", goldenPath(`${GOLDEN}/contributions.npy`)],
  ...["--text-features", goldenPath(`${GOLDEN}/text_features.npy`), ...more],
];

describe("textspan over an index", () => {
  it("prints what its schema says and writes the same as JSON, a page and a picture", async () => {
    const folder = await testFolder();
    const file = (name: string) => join(folder, name);
    const args = [
      "textspan",
      "--index",
      index,
      "--texts",
      "emoji",
      "--heads",
      "L3",
      "--iterations",
      "4",
      "--json",
    ];
    const outs = ["spans.json", "spans.html", "spans.png"].flatMap((name) => ["--out", file(name)]);
    const stdout = await runOk([...args, ...outs], { env });
    const json = textspanResultSchema.parse(JSON.parse(stdout));
    expect(json.origin).toMatchObject({ index: { name: "index", images: 24 }, pool: { name: "emoji" } });
    expect(json.heads.map(({ name }) => name)).toEqual(["L3.H0", "L3.H1", "L3.H2", "L3.H3"]);
    for (const head of json.heads) {
      expect(head.selected).toHaveLength(4);
      expect(head.stability).toMatchObject({ resamples: 32, blocks: 24 });
    }
    expect(JSON.parse(await readFile(file("spans.json"), "utf8"))).toEqual(json);
    expect((await sharp(file("spans.png")).metadata()).width).toBeGreaterThan(1000);
    const page = await readFile(file("spans.html"), "utf8");
    expect(page).toContain(json.heads[0].descriptions[0].text);
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  it("takes a user's own texts and prints lines for people", async () => {
    const folder = await testFolder();
    const texts = join(folder, "own.txt");
    await writeFile(texts, "a red background\na blue background\na green background\na dog\n");
    const args = [
      "textspan",
      "--index",
      index,
      "--texts",
      texts,
      "--heads",
      "L0.H1,L1.H0",
      "--joint",
      "--resamples",
      "0",
    ];
    const text = await runOk(args, { env });
    expect(text).toContain("L0.H1 + L1.H0");
    expect(text).toMatch(/\d+ %\s+a (red|blue|green) background/);
  });

  it.each([
    ["neither index nor arrays nor weights", ["textspan"], "USAGE"],
    ["an index and weights", ["textspan", "--index", "x", "--from-weights"], "USAGE"],
    ["directions of an index", ["textspan", "--index", "x", "--directions", "3"], "USAGE"],
    ["heads as one from weights", ["textspan", "--from-weights", "--joint"], "USAGE"],
    ["MLPs from weights", ["textspan", "--from-weights", "--heads", "mlps"], "HEADS_INVALID"],
    [
      "weights of a model that pools by attention",
      ["textspan", "--from-weights", "--model", goldenPath("kinds/siglip-timm")],
      "MODEL_UNSUPPORTED",
    ],
    ["both", arrays("--index", "x"), "USAGE"],
    ["arrays without texts", ["textspan", "--contributions", "c.npy"], "USAGE"],
    ["a rank for an index", ["textspan", "--index", "x", "--rank", "3"], "USAGE"],
    ["heads for arrays", arrays("--heads", "L0"), "USAGE"],
    ["an output of no known kind", arrays("--out", "x.doc"), "USAGE"],
    [
      "arrays that are not there",
      ["textspan", "--contributions", "c.npy", "--text-features", "t.npy"],
      "INPUT_NOT_FOUND",
    ],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runHere(...args), code);
  });

  it("refuses heads that are not there, and a pool that is not", async () => {
    const on = (...more: string[]) => runHere("textspan", "--index", index, ...more);
    expectError(await on("--heads", "L9"), "HEADS_INVALID");
    expectError(await on("--texts", "nothing-here"), "INPUT_NOT_FOUND");
  });
});

describe("textspan from weights", () => {
  const own = (...more: string[]) => ["textspan", "--from-weights", "--heads", "L3.H1,L1.H0", ...more];

  it("needs no image: prints what its schema says, and writes the same as JSON, a page and a picture", async () => {
    const folder = await testFolder();
    const file = (name: string) => join(folder, name);
    const outs = ["w.json", "w.html", "w.svg"].flatMap((name) => ["--out", file(name)]);
    const options = ["--directions", "2", "--per-end", "3", "--control", "10", "--json"];
    const run = await runHere(...own(...options, ...outs));
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const json = fromWeightsResultSchema.parse(JSON.parse(run.stdout));
    expect(json).toMatchObject({ index: null, textsPerEnd: 3, chance: { draws: 10 } });
    expect(json.heads.map(({ name }) => name)).toEqual(["L1.H0", "L3.H1"]);
    for (const { directions } of json.heads) {
      expect(directions.map(({ direction }) => direction)).toEqual([0, 1]);
      for (const { ends } of directions)
        for (const { texts } of ends) expect(texts.length).toBeLessThanOrEqual(3);
    }
    expect(JSON.parse(await readFile(file("w.json"), "utf8"))).toEqual(json);
    const first = json.heads[1].directions[0].ends[0].texts[0].text;
    for (const name of ["w.html", "w.svg"]) expect(await readFile(file(name), "utf8")).toContain(first);
  });

  it("orders directions by what the images of an index do along them, and prints lines for people", async () => {
    const run = await runHere(...own("--variance", index, "--directions", "3", "--control", "0", "--json"));
    const json = fromWeightsResultSchema.parse(JSON.parse(run.stdout));
    expect(json).toMatchObject({ weighting: "variance", index: { name: "index", images: 24 }, chance: null });
    for (const { directions } of json.heads) {
      const shares = directions.map(({ varianceShare }) => varianceShare!);
      expect([...shares].sort((a, b) => b - a)).toEqual(shares);
    }
    const people = await runHere(...own("--variance", index, "--control", "0"));
    expect(people.stdout).toMatch(/L3\.H1@\d+ .*\d\.\d\d {2}\d\.\d\d /);
  });
});

describe("textspan over raw arrays", () => {
  it("chooses what the reference chose and writes its reconstruction; too high a rank is said", async () => {
    const folder = await testFolder();
    const out = join(folder, "reconstruction.npy");
    const run = await runCli(arrays("--rank", "80", "--iterations", "20", "--json", "--reconstruction", out));
    expect(run.code).toBe(0);
    expect(jsonLines(run.stderr)).toEqual([
      {
        warning: {
          code: "RANK_CLAMPED",
          message: expect.stringMatching(/^rank 80 is more than the 21 directions/),
        },
      },
    ]);
    const json = textspanArraysResultSchema.parse(JSON.parse(run.stdout));
    const expected = JSON.parse(await readFile(goldenPath(`${GOLDEN}/expected.json`), "utf8"));
    expect(json).toMatchObject({
      selected: expected.selected,
      rank: expected.rank,
      requestedRank: 80,
      contributions: { name: "contributions.npy" },
    });
    // No file names the texts.
    expect(json.descriptions.map(({ text }) => text)).toEqual(json.selected.map((place) => `text ${place}`));
    const wanted = await goldenArray(`${GOLDEN}/reconstruction.npy`, 2);
    const written = parseNpy(await readFile(out)).data as Float32Array;
    expect(relativeError(written.subarray(0, wanted.data.length), wanted.data)).toBeLessThan(1e-4);
  });

  it("names the texts where a file names them, repeated lines included", async () => {
    const folder = await testFolder();
    const texts = join(folder, "names.txt");
    await writeFile(texts, Array.from({ length: 500 }, (_, i) => `text number ${i % 499}\n`).join(""));
    const json = textspanArraysResultSchema.parse(
      JSON.parse(await runOk(arrays("--texts", texts, "--iterations", "3", "--json"))),
    );
    expect(json.descriptions.map(({ text }) => text)).toEqual(
      json.selected.map((place) => `text number ${place}`),
    );
  });

  it.each([
    ["of different widths", [3, 5], [2, 4], "have 5 columns, the text features 4"],
    ["without rows", [0, 4], [2, 4], "must have rows"],
  ])("refuses arrays %s", async (_, c, t, why) => {
    const folder = await testFolder();
    const write = async (name: string, shape: readonly number[]) => {
      const data = new Float32Array(shape[0] * shape[1]).fill(1);
      await writeFile(join(folder, name), formatNpy({ shape, data }));
      return join(folder, name);
    };
    const args = ["--contributions", await write("c.npy", c), "--text-features", await write("t.npy", t)];
    const run = await runHere("textspan", ...args);
    expectError(run, "NPY_INVALID");
    expect(run.stderr).toContain(why);
  });

  it("refuses numbers that are none", async () => {
    const folder = await testFolder();
    const path = join(folder, "c.npy");
    const data = new Float32Array(8).fill(Number.NaN);
    await writeFile(path, formatNpy({ shape: [2, 4], data }));
    expectError(await runHere("textspan", "--contributions", path, "--text-features", path), "NPY_INVALID");
  });
});
