import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { calibrateResultSchema } from "../../src/results/calibrate.ts";
import { studyResultSchema } from "../../src/results/study.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { completion, type LlmServer, sendJson, serveLlm } from "../support/llm-server.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * Labels of a language model, or of a file, go through a study as those of tags do: the language model is a server in
 * this process that answers by what the descriptions say.
 */

const scratch = mkdtempSync(join(tmpdir(), "study-labellers-"));
const path = (name: string) => join(scratch, name);
const models = createModelLoader({ threads: 1 });
beforeAll(async () => {
  const model = await models.load("emoji-4x128-p16");
  await buildIndex(model, await scanSource(repositoryPath("examples/scenes")), path("index"));
  // A few texts of every property.
  const pool = readFileSync(repositoryPath("assets/pools/emoji.jsonl"), "utf8").split("\n");
  writeFileSync(path("pool.jsonl"), pool.filter((_, i) => i % 12 === 0).join("\n"));
});
beforeEach(() => vi.stubEnv("CLIP_INTERPRET_CACHE", mkdtempSync(path("cache-"))));
afterAll(async () => {
  vi.unstubAllEnvs();
  await models.release();
  rmSync(scratch, { recursive: true });
});

const QUICK =
  "--heads L3 --iterations 5 --blocks 32 --resamples 4 --draws 30 --permutations 2 --threads 1".split(" ");
const study = async (out: string, ...args: string[]) => {
  const { code, stdout, stderr } = await runHere(
    "study",
    "--index",
    path("index"),
    ...QUICK,
    "--texts",
    path("pool.jsonl"),
    "--json",
    "--out",
    path(out),
    ...args,
  );
  return { code, stderr, result: code === 0 ? studyResultSchema.parse(JSON.parse(stdout)) : undefined };
};
const serve = async (answer?: LlmServer["answer"]) => {
  const server = await serveLlm();
  if (answer) server.answer = answer;
  const asks = ["--llm-url", server.url, "--llm-model", "m", "--llm-retries", "0", "--llm-draws", "2"];
  return { server, asks };
};

/** Names heads by one of two words, and finds that the first words of descriptions fit it. */
const answer: LlmServer["answer"] = ({ question, judging }) => {
  const lines = question.split("\n").filter((line) => /^\d+\. /.test(line));
  if (!judging) return question.length % 2 === 0 ? "Backdrops" : "Things";
  const label = question.split("\n")[0];
  return lines
    .map((line, i) => `${i + 1} ${(line.length + label.length) % 3 === 0 ? "no" : "yes"}`)
    .join("\n");
};

describe("a study of labels that are not of tags", () => {
  it("asks a language model, and shows its labels beside those that say nothing, resampled, and calibrated", async () => {
    const { server, asks } = await serve(answer);
    const map = path("map.json");
    writeFileSync(map, JSON.stringify({ background: ["Backdrop"], group: ["Things"] }));
    const judges = ["--judge-model", "a", "--judge-model", "b"];
    const args = ["--labeller", "llm", ...asks, ...judges, "--synonyms", map];
    const { result } = await study("llm", ...args);
    const [model] = result!.models;
    expect(result!.settings.labelling).toEqual({ labeller: "llm", asked: 2 });
    expect(model).toMatchObject({
      labeller: "m",
      judge: "a, b",
      unlabelled: [],
      baselines: null,
      chanceCcs: null,
    });
    expect(model.heads).toHaveLength(4);
    for (const { label, ccs, descriptions, ccsResampled } of model.heads) {
      expect(["Backdrops", "Things"]).toContain(label);
      expect(ccs).toBe(descriptions.filter(({ fits }) => fits).length);
      expect(ccsResampled.high).toBeLessThanOrEqual(5);
    }
    const { constant, permuted, random } = model.labelBaselines!;
    for (const drawn of [constant, permuted, random]) expect(drawn.meanCcs?.mean).toBeGreaterThan(0);
    expect(model.agreement).toMatchObject({ verdicts: 20, fleiss: 1 });
    // Labels are compared with the factors that they are words for.
    expect(model.calibration!.heads.map(({ label }) => ["background", "group"].includes(label))).toEqual(
      Array(4).fill(true),
    );
    expect(server.seen.length).toBeGreaterThan(12);
    const markdown = readFileSync(join(path("llm"), "study.md"), "utf8");
    expect(markdown).toContain("labelled by m; judged by a, b");
    expect(markdown).toContain("one label for all");
    expect(markdown).not.toContain("plurality count");
    // The same again asks nothing, and gives the same report.
    const before = server.seen.length;
    expect((await study("again", ...args)).result).toEqual(result);
    expect(server.seen).toHaveLength(before);
  });

  it("goes on with the other heads where one answer is bad, and names what is missing", async () => {
    const { server, asks } = await serve(answer);
    const bad: string[] = [];
    server.interfere = ({ question, judging }, response) => {
      if (judging) return false;
      if (bad.length === 0) bad.push(question);
      return bad.includes(question) && sendJson(response, completion("I cannot say."));
    };
    expect((await study("stops", "--labeller", "llm", ...asks)).stderr).toContain("LLM_REFUSED");
    const { result, stderr } = await study("goes-on", "--labeller", "llm", ...asks, "--keep-going");
    const [model] = result!.models;
    expect(model.unlabelled).toHaveLength(1);
    expect(model.heads).toHaveLength(3);
    expect(stderr).toContain("LLM_INCOMPLETE");
  });

  it("takes the labels of a file, which the pool's tags judge", async () => {
    const labels = path("labels.json");
    const heads = { "L3.H0": "Backdrops", "L3.H1": "backgrounds", "L3.H2": "Thing" };
    writeFileSync(labels, JSON.stringify({ heads }));
    const map = path("words.json");
    writeFileSync(map, JSON.stringify({ background: ["Backdrop"], group: ["Things"] }));
    const { result } = await study("file", "--labeller", labels, "--synonyms", map);
    const [model] = result!.models;
    expect(model).toMatchObject({
      labeller: "labels.json",
      judge: "the tags of the pool",
      unlabelled: ["L3.H3"],
    });
    for (const { name, label, descriptions, sameLabel } of model.heads) {
      expect([label, sameLabel]).toEqual([heads[name as keyof typeof heads], 1]);
      const tag = label === "Thing" ? "group" : "background";
      expect(descriptions.map(({ fits }) => fits)).toEqual(
        descriptions.map(({ property }) => property === tag),
      );
    }
  });

  it.each([
    ["a language model for tags", ["--llm-url", "http://localhost:1"], "USAGE"],
    ["a language model without an address", ["--labeller", "llm"], "USAGE"],
    ["labels that nobody published", ["--labeller", "published"], "LABELS_MISSING"],
    ["a file that is not there", ["--labeller", "nobody.json"], "INPUT_NOT_FOUND"],
  ])("refuses %s", async (_, args, code) => {
    expect((await study("refused", ...args)).stderr).toContain(code);
  });
});

describe("calibrate", () => {
  const label = (...args: string[]) =>
    runHere(
      "label",
      "--index",
      path("index"),
      "--heads",
      "L2-L3",
      "--out",
      path("tags.json"),
      "--threads",
      "1",
      ...args,
    );
  const calibrate = async (...args: string[]) => {
    const { code, stdout, stderr } = await runHere(
      "calibrate",
      "--index",
      path("index"),
      "--threads",
      "1",
      "--permutations",
      "50",
      "--json",
      ...args,
    );
    return { code, stderr, result: code === 0 ? calibrateResultSchema.parse(JSON.parse(stdout)) : undefined };
  };

  it("says of labels by tags what a study says, and of a perfect labeller that it is right", async () => {
    await label();
    const { result } = await calibrate("--labels", path("tags.json"));
    const { calibration, meanings, left, origin } = result!;
    expect(calibration.heads).toHaveLength(8);
    expect([left, origin.labels.name]).toEqual([[], "tags.json"]);
    // Of the few scenes each shows another concept, so nothing is known of "concept".
    for (const { label: one, factor } of meanings) expect(factor).toBe(one === "concept" ? null : one);
    // Other words for what is right: right with a map, wrong without.
    const best = Object.fromEntries(
      calibration.heads.map((head) => [head.name, { label: `the ${head.best}`, consistent: [true] }]),
    );
    writeFileSync(path("best.json"), JSON.stringify({ heads: best }));
    const factors = [...new Set(calibration.heads.map((head) => head.best))];
    const map = Object.fromEntries(factors.map((factor) => [factor, [`The ${factor}`]]));
    writeFileSync(path("the.json"), JSON.stringify(map));
    const perfect = await calibrate("--labels", path("best.json"), "--synonyms", path("the.json"));
    expect(perfect.result!.calibration.measures.right.value).toBe(1);
    const unread = await calibrate("--labels", path("best.json"));
    expect(unread.result!.calibration.measures.right.value).toBe(0);
    expect(unread.result!.meanings.every(({ factor }) => factor === null)).toBe(true);
    const text = await runHere(
      "calibrate",
      "--index",
      path("index"),
      "--labels",
      path("best.json"),
      "--permutations",
      "5",
    );
    expect(text.stdout).toMatch(/^Right: 0 of 8 heads/m);
    expect(text.stdout).toContain("--synonyms says what they mean");
  });

  it("needs verdicts, heads that there are, and images with factors", async () => {
    writeFileSync(path("unjudged.json"), JSON.stringify({ heads: { "L3.H0": "background" } }));
    expect((await calibrate("--labels", path("unjudged.json"))).stderr).toContain("LABELS_MISSING");
    writeFileSync(path("stray.json"), JSON.stringify({ heads: { "L9.H0": "background" } }));
    expect((await calibrate("--labels", path("stray.json"))).stderr).toContain("HEADS_INVALID");
  });
});
