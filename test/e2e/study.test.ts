import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { metricsResultSchema } from "../../src/results/metrics.ts";
import { studyResultSchema } from "../../src/results/study.ts";
import { runHere } from "../support/run-cli.ts";
import { expectError, repositoryPath, runCli, runOk, sharedFolder } from "./cli.ts";

const MODELS = ["emoji-4x128-p8", "emoji-6x192-p8"];
/** Pictures with known factors, there already. */
const SCENES = repositoryPath("examples/scenes");
const REPORT = ["heads.csv", "index.html", "metrics.csv", "study.json", "study.md"];

describe("a study of two models", () => {
  const path = sharedFolder();
  const env = () => ({ CLIP_INTERPRET_CACHE: path("cache") });
  const study = (out: string) =>
    runOk(
      [
        ...["study", "--models", MODELS.join(","), "--images", SCENES, "--out", path(out)],
        ...["--texts", path("pool.jsonl"), "--threads", "1"],
        ...["--resamples", "5", "--draws", "40", "--permutations", "3", "--quiet"],
      ],
      { env: env(), timeout: 200_000 },
    );
  const bytes = (out: string) => Promise.all(REPORT.map((name) => readFile(join(path(out), name))));
  const json = async () =>
    studyResultSchema.parse(JSON.parse(await readFile(path("report/study.json"), "utf8")));

  beforeAll(async () => {
    // A few texts of every property.
    const pool = (await readFile(repositoryPath("assets/pools/emoji.jsonl"), "utf8")).split("\n");
    await writeFile(path("pool.jsonl"), pool.filter((_, i) => i % 12 === 0).join("\n"));
    await study("report");
  }, 240_000);

  it("writes one report in four forms, and every number says what it follows from", async () => {
    expect((await readdir(path("report"))).sort()).toEqual([...REPORT, "steps"].sort());
    const { models, code, calibration, sizes, published } = await json();
    expect(models.map(({ origin, heads }) => [origin.model.name, heads.length])).toEqual([
      ["emoji-4x128-p8", 16],
      ["emoji-6x192-p8", 24],
    ]);
    for (const { origin, metrics, heads, chanceCcs } of models) {
      expect(origin.index).toMatchObject({ name: "scenes", images: 24 });
      expect(metrics.histogram.reduce((sum, count) => sum + count, 0)).toBe(heads.length);
      expect(chanceCcs?.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
      expect(heads.every(({ descriptions }) => descriptions.length >= 5)).toBe(true);
    }
    expect(models[0].origin.model.weights).not.toBe(models[1].origin.model.weights);
    expect(models[0].origin.pool).toEqual(models[1].origin.pool);
    expect(code).toMatch(/^[0-9a-f]{64}$/);
    expect(calibration?.heads.length).toBe(40);
    expect(sizes.steps.length).toBe(3);
    expect(published.length).toBe(6);
  });

  it("needs nothing beside its page: no script, no link out, nothing fetched", async () => {
    const page = await readFile(path("report/index.html"), "utf8");
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<link|<iframe|@import|url\(/i);
    const addresses = [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(40);
    expect(addresses.filter((address) => !/^(#|data:image\/png;base64,)/.test(address))).toEqual([]);
    const { models } = await json();
    const anchors = addresses.filter((address) => address.startsWith("#")).map((address) => address.slice(1));
    for (const anchor of anchors) expect(page).toContain(`id="${anchor}"`);
    expect(anchors.length).toBeGreaterThan(models.reduce((sum, { heads }) => sum + heads.length, 0));
  });

  it("names neither a time nor a place, and comes out again byte for byte", async () => {
    const first = await bytes("report");
    const text = Buffer.concat(first).toString("utf8");
    expect(text).not.toContain(path(""));
    expect(text).not.toMatch(/20\d\d-\d\d-\d\d/);
    const steps = async () => {
      const files = await readdir(path("report/steps"), { recursive: true });
      return Promise.all(files.map(async (name) => (await stat(path(`report/steps/${name}`))).mtimeMs));
    };
    const kept = await steps();
    await study("report");
    expect(await bytes("report")).toEqual(first);
    // Nothing was computed again, as their times say.
    expect(await steps()).toEqual(kept);
    await rm(path("report/steps/emoji-6x192-p8"), { recursive: true });
    await writeFile(path("report/steps/emoji-4x128-p8/resamples.json"), "{");
    await study("report");
    expect(await bytes("report")).toEqual(first);
  }, 240_000);

  it("takes an index that is there, and refuses one of another model or what is no head", async () => {
    const [name] = (await readdir(path("cache/indexes"))).filter((entry) => entry.startsWith(MODELS[0]));
    const args = [
      ...["study", "--out", path("other"), "--texts", path("pool.jsonl"), "--threads", "1"],
      ...["--resamples", "2", "--draws", "2", "--permutations", "1"],
    ];
    const over = (model: string) => [
      ...args,
      ...["--models", model, "--index", `${model}=${path(`cache/indexes/${name}`)}`],
    ];
    expectError(await runHere(...over(MODELS[1])), "INDEX_MISMATCH");
    expectError(await runHere(...over(MODELS[0]), "--heads", "L1.MLP"), "HEADS_INVALID");
    const { models } = studyResultSchema.parse(
      JSON.parse((await runHere(...over(MODELS[0]), "--json")).stdout),
    );
    expect(models[0].origin.index.sha256).toBe((await json()).models[0].origin.index.sha256);
    expect(existsSync(path("other/index.html"))).toBe(true);
  }, 240_000);

  it.each([
    ["an empty name", ["--models", "emoji-4x128-p8,"], "USAGE"],
    ["a model twice", ["--models", "emoji-4x128-p8,emoji-4x128-p8"], "USAGE"],
    ["an index that is not there", ["--index", "somewhere"], "INDEX_INVALID"],
    ["a model without its index", ["--index", "emoji-4x128-p8="], "USAGE"],
    ["an index of a model that is not studied", ["--models", MODELS[0], "--index", "other=x"], "USAGE"],
    ["too few blocks", ["--blocks", "8"], "USAGE"],
    ["a model that is not there", ["--models", "nothing-of-this-name"], "MODEL_NOT_FOUND"],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runHere("study", ...args, "--out", path("refused")), code);
  });
});

describe("metrics", () => {
  const path = sharedFolder();

  it("of the published labels are those of the table in the docs", async () => {
    const { stdout: printed } = await runHere("metrics", "--labels", "published", "--json");
    const { files } = metricsResultSchema.parse(JSON.parse(printed));
    const docs = await readFile(repositoryPath("docs/metrics.md"), "utf8");
    const rows = docs.replaceAll("\\_", "_").split("\n");
    expect(files.length).toBe(6);
    expect(files[0].origin.labels.name).toBe("published");
    for (const { model, metrics } of files) {
      const { entanglement: e, duplicates: d, prefix } = metrics;
      const numbers = [e.case, e.plural, e.synonym, d.case, d.plural, prefix].map((value) =>
        value.toFixed(3),
      );
      const row = rows.find((line) => line.startsWith(`| ${model} |`));
      expect(row, model).toBeDefined();
      expect(row).toContain(` ${numbers.join(" | ")} `);
    }
  });

  it("of labels by tags stand beside their baselines", async () => {
    const labels = {
      model: "emoji-4x128-p8",
      source: "a test",
      heads: Object.fromEntries(
        [0, 1, 2, 3].map((h) => [
          `L3.H${h}`,
          {
            label: "count",
            descriptions: ["one", "two", "three", "four", "cat"],
            tags: ["count", "count", "count", "count", "concept"],
            consistent: [true, true, true, true, false],
            labeller: { kind: "tags" },
            judge: { kind: "tags" },
          },
        ]),
      ),
    };
    await writeFile(path("labels.json"), JSON.stringify(labels));
    const args = ["metrics", "--labels", path("labels.json"), "--draws", "50"];
    const { stdout: printed } = await runHere(...args, "--json");
    const [file] = metricsResultSchema.parse(JSON.parse(printed)).files;
    expect(file.origin).toMatchObject({ labels: { name: "labels.json" }, pool: { name: "emoji" } });
    expect(file.metrics).toMatchObject({ meanCcs: 4, association: 1, histogram: [0, 0, 0, 0, 4, 0] });
    expect(file.metrics.entanglement.synonym).toBe(1);
    expect(file.baselines?.randomLabels.meanCcs?.mean).toBeLessThan(4);
    expect(file.chanceCcs?.length).toBe(6);
    const { stdout: text } = await runHere(...args);
    expect(text).toContain("CCS 0–5: 0 0 0 0 4 0 heads");
    expectError(await runHere("metrics", "--labels", path("none.json")), "INPUT_NOT_FOUND");
    expectError(await runCli(["metrics"]), "USAGE");
  });
});
