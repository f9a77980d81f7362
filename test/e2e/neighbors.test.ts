import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { retrievalResultSchema } from "../../src/results/retrieval.ts";
import { selectivityResultSchema } from "../../src/results/selectivity.ts";
import { expectError, repositoryPath, runCli, runOk, sharedFolder, testFolder } from "./cli.ts";

const SCENES = repositoryPath("examples/scenes");
const MONKEY = join(SCENES, "images/0067-monkey.png");
const shared = sharedFolder();
let index: string;
beforeAll(async () => {
  index = shared("index");
  await runOk(["index", SCENES, "--out", index]);
});

const neighbors = (...more: string[]) => ["neighbors", "--index", index, ...more];
const parse = (stdout: string) => neighborsResultSchema.parse(JSON.parse(stdout));

describe("neighbors", () => {
  it("finds what is red behind, for a text through the whole model, and draws it", async () => {
    const folder = await testFolder();
    const [png, html] = [join(folder, "near.png"), join(folder, "near.html")];
    const args = neighbors("--heads", "all,mlps", "--text", "a red background", "--json");
    const json = parse(await runOk([...args, "--out", png, "--out", html]));
    expect(json.neighbors[0].path).toBe("images/0049-snowboarder.png");
    expect(json).toMatchObject({ searched: 24, excluded: 0, scoring: "dot" });
    expect((await sharp(png).metadata()).width).toBeGreaterThan(1000);
    const page = await readFile(html, "utf8");
    expect(page).toContain("a red background");
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  it("looks for images like one, without that one itself", async () => {
    const json = parse(await runOk(neighbors("--heads", "last2", "--image", MONKEY, "-k", "30", "--json")));
    expect(json.excluded).toBe(1);
    expect(json.neighbors).toHaveLength(23);
    expect(json.neighbors.map(({ path }) => path)).not.toContain("images/0067-monkey.png");
    const own = await runOk(neighbors("--heads", "last2", "--image", MONKEY, "--include-self", "--json"));
    expect(parse(own).searched).toBe(24);
  });

  it("lists scores, labels and paths for people", async () => {
    const text = await runOk(neighbors("--heads", "L0.H1", "--text", "a red background", "-k", "3"));
    for (const part of ["most similar", "least similar", "random", "24 images searched"])
      expect(text).toContain(part);
  });

  it.each([
    ["neither image nor text", ["--heads", "L0.H0"], "USAGE"],
    ["both image and text", ["--heads", "L0.H0", "--text", "x", "--image", MONKEY], "USAGE"],
    ["a head that is not there", ["--heads", "L9.H0", "--text", "x"], "HEADS_INVALID"],
    ["a blank text", ["--heads", "L0.H0", "--text", " "], "TEXTS_EMPTY"],
    ["a picture of no known kind", ["--heads", "L0.H0", "--text", "x", "--out", "x.doc"], "USAGE"],
    [
      "an image that is none",
      ["--heads", "L0.H0", "--image", repositoryPath("package.json")],
      "IMAGE_UNREADABLE",
    ],
    ["another model", ["--heads", "L0.H0", "--text", "x", "--model", "emoji-6x192-p8"], "INDEX_MISMATCH"],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runCli(neighbors(...args)), code);
  });

  it("refuses a folder that is no index", async () => {
    expectError(
      await runCli(["neighbors", "--index", SCENES, "--heads", "L0.H0", "--text", "x"]),
      "INDEX_INVALID",
    );
  });
});

describe("selectivity and evaluate retrieval", () => {
  it("print what their schemas say, draw a matrix and write heads that neighbors takes as properties", async () => {
    const folder = await testFolder();
    const [png, heads] = [join(folder, "matrix.png"), join(folder, "heads.json")];
    const stdout = await runOk([
      ...["selectivity", "--index", index, "--json", "--permutations", "5"],
      ...["--out", png, "--save-heads", heads],
    ]);
    const json = selectivityResultSchema.parse(JSON.parse(stdout));
    expect([json.heads.length, json.mlps.length, json.embedding.factors.length]).toEqual([
      ...[16, 0, json.factors.length],
    ]);
    expect((await sharp(png).metadata()).width).toBeGreaterThan(400);
    const saved: Record<string, string[]> = JSON.parse(await readFile(heads, "utf8"));
    const [property] = Object.keys(saved);
    const found = parse(
      await runOk(neighbors("--heads", property, "--labels", heads, "--image", MONKEY, "--json")),
    );
    expect(new Set(found.components.heads.map(({ name }) => name))).toEqual(new Set(saved[property]));
    expect(found.components.set).toBe(property);
    const retrieval = await runOk(["evaluate", "retrieval", "--index", index, "--json", "-k", "3"]);
    expect(retrievalResultSchema.parse(JSON.parse(retrieval)).k).toBe(3);
  });
});
