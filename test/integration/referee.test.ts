import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { runReferee } from "../../src/referee/run-referee.ts";
import { type RefereeResult, refereeResultSchema } from "../../src/results/referee.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { serveLlm } from "../support/llm-server.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * Every method over real heads. Two seeds of one recipe, so that heads are matched too.
 */

const scratch = mkdtempSync(join(tmpdir(), "referee-"));
const path = (name: string) => join(scratch, name);
const MODELS = ["emoji-4x128-p16", "emoji-4x128-p16-s2"];
const loader = createModelLoader({ threads: 1 });
const indexes = Object.fromEntries(MODELS.map((name) => [name, path(name)]));
const options = {
  ...{ models: MODELS, indexes, loader, heads: "L2-L3", texts: path("pool.jsonl"), threads: 1 },
  ...{ halvings: 2, permutations: 100, stepsFolder: path("report/steps") },
};
const methodOf = ({ methods }: RefereeResult, key: string) => methods.find((method) => method.key === key)!;
let result: RefereeResult;

beforeAll(async () => {
  vi.stubEnv("CLIP_INTERPRET_CACHE", path("cache"));
  // The example scenes are too few to halve.
  const { code, stderr } = await runHere("demo", "--out", path("scenes"), "--scenes", "48", "--quiet");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  for (const name of MODELS)
    await buildIndex(await loader.load(name), await scanSource(path("scenes")), indexes[name]);
  const pool = readFileSync(repositoryPath("assets/pools/emoji.jsonl"), "utf8").split("\n");
  writeFileSync(path("pool.jsonl"), pool.filter((_, i) => i % 8 === 0).join("\n"));
  result = await runReferee(options);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await loader.release();
  rmSync(scratch, { recursive: true });
});

describe("the referee over two seeds", () => {
  it("asks every method about every head, and says which did not run", () => {
    const ran = result.methods.filter(({ accuracy }) => accuracy !== null).map(({ key }) => key);
    expect([...ran].sort()).toEqual(
      [
        "constant",
        "dissect",
        "known",
        "principal",
        "random",
        "somp",
        "textspan",
        "weights",
        "weights-variance",
      ].sort(),
    );
    expect(methodOf(result, "llm").notRun).toBe("no --llm-url was given");
    for (const key of ran) {
      const { claims, accuracy, causal } = methodOf(result, key);
      expect(claims.length).toBe(16);
      expect(accuracy!.heads).toBe(16);
      expect(accuracy!.right).toBe(claims.filter(({ right }) => right).length);
      expect(causal!.heads).toBeGreaterThan(0);
    }
    expect(methodOf(result, "known").bound).toBe("upper");
    expect(result.constant.right).toBe(methodOf(result, "constant").accuracy!.right);
  });

  it("judges by other images and by half of the texts where a method looks at them", () => {
    const looks = result.methods.flatMap(({ key, images, texts }) =>
      images === null && texts === null ? [] : [[key, images !== null, texts !== null]],
    );
    expect(Object.fromEntries(looks.map(([key, ...reads]) => [key, reads]))).toMatchObject({
      ...{ textspan: [true, true], weights: [false, true], known: [true, false] },
      ...{ "weights-variance": [true, true], dissect: [true, true] },
    });
  });

  it("knows of every head what it responds to, and what is lost without it", () => {
    for (const { factors, accuracies, heads } of result.models) {
      expect(accuracies.length).toBe(factors.length);
      for (const { best, shares, drops } of heads) {
        expect(shares[factors.indexOf(best)]).toBe(Math.max(...shares));
        expect(drops.length).toBe(factors.length);
      }
      // Something is lost without some head.
      expect(Math.max(...heads.flatMap(({ drops }) => drops))).toBeGreaterThan(0);
    }
  });

  it("matches heads of the two seeds", () => {
    expect(methodOf(result, "textspan").matched!.pairs).toBeGreaterThan(0);
  });

  it("goes on from what is kept, and gives the same bytes", async () => {
    const kept = readdirSync(path("report/steps"), { recursive: true }).length;
    const names: string[] = [];
    const again = await runReferee({
      ...options,
      report: (event) => {
        if (event.type === "start") names.push(event.task);
      },
    });
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
    expect(readdirSync(path("report/steps"), { recursive: true }).length).toBe(kept);
    expect(names).toEqual(MODELS.map((name) => `judging the heads of ${name}`));
    // One that is damaged is made again.
    writeFileSync(join(path("report/steps"), MODELS[0], "referee-all.json"), "{");
    expect(JSON.stringify(await runReferee(options))).toBe(JSON.stringify(result));
  });

  it("stops where it is asked to, and refuses a model that is named twice", async () => {
    const stopping = AbortSignal.abort();
    await expect(runReferee({ ...options, signal: stopping })).rejects.toMatchObject({ code: "CANCELLED" });
    const twice = { ...options, models: [MODELS[0], MODELS[0]] };
    await expect(runReferee(twice)).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("labels of a user", () => {
  const labelsOf = (label: (best: string) => string) => ({
    models: Object.fromEntries(
      result.models.map(({ origin, heads }) => [
        origin.model.name,
        { heads: Object.fromEntries(heads.map(({ name, best }) => [name, label(best)])) },
      ]),
    ),
  });
  const referee = (...args: string[]) =>
    runHere(
      ...[
        "referee",
        "--models",
        MODELS.join(),
        "--heads",
        "L2-L3",
        "--texts",
        path("pool.jsonl"),
        "--threads",
        "1",
      ],
      ...MODELS.flatMap((name) => ["--index", `${name}=${indexes[name]}`]),
      ...["--halvings", "2", "--permutations", "100", ...args],
    );

  it("join as methods: a perfect one scores 1, a constant one the majority's share", async () => {
    writeFileSync(path("perfect.json"), JSON.stringify(labelsOf((best) => `${best.toUpperCase()}S`)));
    writeFileSync(path("constant.json"), JSON.stringify(labelsOf(() => "Those")));
    writeFileSync(path("words.json"), JSON.stringify({ [result.constant.label]: ["Those"] }));
    const files = ["--labels", path("perfect.json"), "--labels", path("constant.json")];
    const { code, stdout, stderr } = await referee(
      ...[...files, "--synonyms", path("words.json"), "--json", "--out", path("report")],
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const judged = refereeResultSchema.parse(JSON.parse(stdout));
    expect(methodOf(judged, "file perfect.json").accuracy).toMatchObject({ share: 1, captured: 1 });
    expect(methodOf(judged, "file constant.json").accuracy!.right).toBe(result.constant.right);
    expect(readdirSync(path("report")).sort()).toEqual(
      ["heads.csv", "index.html", "methods.csv", "referee.json", "referee.md", "referee.png", "steps"].sort(),
    );
    const lines = readFileSync(path("report/heads.csv"), "utf8").split("\n");
    expect(lines.filter((line) => line.startsWith("emoji-")).length).toBe(16);
    expect(readFileSync(path("report/index.html"), "utf8")).not.toContain("<script");
  });

  it("are refused twice, and of heads that are not there", async () => {
    writeFileSync(path("wrong.json"), JSON.stringify({ heads: { "L9.H0": "background" } }));
    const twice = await referee(
      "--labels",
      path("wrong.json"),
      "--labels",
      path("wrong.json"),
      "--out",
      path("no"),
    );
    expect(twice.code).not.toBe(0);
    expect(twice.stderr).toContain("two files with labels are named wrong.json");
    const wrong = await referee("--labels", path("wrong.json"), "--out", path("no"));
    expect(wrong.stderr).toContain("L9.H0");
    expect(wrong.code).not.toBe(0);
  });

  it("may come from a language model at a server", async () => {
    const server = await serveLlm();
    server.answer = () => "background";
    const asks = ["--llm-url", server.url, "--llm-model", "m", "--llm-retries", "0"];
    const { code, stdout, stderr } = await referee(...asks, "--json", "--out", path("report"));
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { claims } = methodOf(refereeResultSchema.parse(JSON.parse(stdout)), "llm");
    expect(new Set(claims.map(({ label }) => label))).toEqual(new Set(["background"]));
  });
});
