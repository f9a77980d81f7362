import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { labelsOrigin, readLabels } from "../../src/labels/labels-file.ts";
import { type LabelResult, labelEstimateSchema, labelResultSchema } from "../../src/results/label.ts";
import { metricsResultSchema } from "../../src/results/metrics.ts";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { headNamed, headOf } from "../../src/results/shapes.ts";
import { sendJson, serveLlm } from "../support/llm-server.ts";
import { runHere } from "../support/run-cli.ts";
import {
  bareEnvironment,
  type CliOptions,
  expectError,
  jsonLines,
  repositoryPath,
  runCli,
  runOk,
  sharedFolder,
  startCli,
  testFolder,
} from "./cli.ts";

const SCENES = repositoryPath("examples/scenes");
const KEY = "sk-very-secret-0123456789";
const shared = sharedFolder();
const [index, textspan] = [() => shared("index"), () => shared("textspan.json")];

/** What `textspan --json` prints, as far as labels need it: six heads of four texts. */
const HEADS = Array.from({ length: 6 }, (_, head) => ({
  ...headOf(2, head),
  descriptions: ["street", "beach", "hill", "cat"].map((thing, i) => ({
    index: i,
    text: `a ${thing} number ${head}`,
    property: i < 3 ? "place" : "animal",
    explainedVariance: 0.2 / (i + 1),
    chosenShare: null,
  })),
}));

beforeAll(async () => {
  await runOk(["index", SCENES, "--out", index()]);
  const origin = sampleOrigin({ model: { name: "a-model" }, index: {}, pool: {} });
  await writeFile(textspan(), JSON.stringify({ origin, heads: HEADS }));
});

const parse = (stdout: string) => labelResultSchema.parse(JSON.parse(stdout));
/** The head of a result that has this name. */
const named = ({ heads }: Pick<LabelResult, "heads">, name: string) =>
  heads.find((head) => head.name === name) ?? expect.fail(`no ${name}`);
/** An environment whose caches are in a folder. */
const cachedIn = (folder: string, more: CliOptions["env"] = {}): CliOptions => ({
  env: { CLIP_INTERPRET_CACHE: join(folder, "cache"), ...more },
});

describe("label, offline", () => {
  it("describes the heads of an index, names them by tags, and writes a file that neighbors reads", async () => {
    const folder = await testFolder();
    const [json, html] = [join(folder, "labels.json"), join(folder, "labels.html")];
    const how = cachedIn(folder);
    const printed = parse(
      await runOk(["label", "--index", index(), "--out", json, "--out", html, "--json"], how),
    );
    expect(printed.heads).toHaveLength(16);
    expect(printed).toMatchObject({
      origin: { model: { name: "emoji-4x128-p8" }, index: { images: 24 }, pool: { name: "emoji" } },
      ...{ model: "emoji-4x128-p8", unlabelled: [], llm: null },
    });
    expect(printed.origin.labels).toBeUndefined();
    expect(printed.source).toMatch(
      /^TEXTSPAN, the first 5 texts a head of the pool emoji \(SHA-256 [0-9a-f]{64}\), over 24 images of index$/,
    );
    for (const { label, descriptions, tags, consistent, labeller, judge } of printed.heads) {
      expect(descriptions).toHaveLength(5);
      expect(consistent).toEqual(tags.map((tag) => tag === label));
      const count = (tag: string | null) => tags.filter((other) => other === tag).length;
      for (const tag of tags) expect(count(label)).toBeGreaterThanOrEqual(count(tag));
      expect([labeller.kind, judge?.kind]).toEqual(["tags", "tags"]);
    }
    const words = join(folder, "words.json");
    await writeFile(
      words,
      await runOk(["textspan", "--index", index(), "--heads", "L3", "--resamples", "0", "--json"], how),
    );
    const fromFile = parse(await runOk(["label", "--textspan", words, "--json"], how));
    expect(fromFile.source).toContain("first 5 texts");
    expect(fromFile.origin).toEqual(printed.origin);
    for (const { name, label, descriptions, consistent } of fromFile.heads)
      expect(named(printed, name)).toMatchObject({ label, descriptions, consistent });
    expect(fromFile.heads).toHaveLength(4);
    const { heads } = await readLabels(json);
    expect(printed.heads).toEqual(
      Object.entries(heads).map(([name, head]) => ({ ...headNamed(name), ...head })),
    );
    const [label] = Object.values(heads).map((head) => head.label);
    const search = [
      "neighbors",
      "--index",
      index(),
      "--heads",
      label,
      "--labels",
      json,
      "--text",
      "x",
      "--json",
    ];
    const found = neighborsResultSchema.parse(JSON.parse(await runOk(search, how)));
    expect(found.components.heads.map(({ name }) => name)).toEqual(
      Object.keys(heads).filter((head) => heads[head].label === label),
    );
    expect(await readFile(html, "utf8")).toContain(`<b><bdi>${label}</bdi></b>`);
  });

  it("takes the descriptions from a file, and lists them for people", async () => {
    const { stdout: text } = await runHere("label", "--textspan", textspan(), "--descriptions", "4");
    expect(text).toMatch(/^L2\.H3 +place +3\/4 {2}✓ a street number 3/m);
    expect(text).toContain("✗ a cat number 3");
  });

  it("shows what was published about a model, and what contradicts what, without the model", async () => {
    const args = ["label", "--model", "ViT-B-32/openai", "--labeller", "published", "--json"];
    const published = parse((await runHere(...args)).stdout);
    const { heads, inconsistencies } = published;
    expect(heads).toHaveLength(48);
    expect(named(published, "L11.H8")).toMatchObject({
      label: "Word starting with the letter z",
      labeller: { kind: "published" },
    });
    expect(inconsistencies.map(({ kind, labels }) => [kind, labels[1].label])).toContainEqual([
      "plural",
      "Activities",
    ]);
  });

  it("takes labels by hand before the labeller's, and alone", async () => {
    const folder = await testFolder();
    const own = join(folder, "own.json");
    await writeFile(own, JSON.stringify({ towns: ["L2.H1"] }));
    const args = ["label", "--textspan", textspan(), "--labels", own, "--json"];
    const both = parse((await runHere(...args)).stdout);
    expect(named(both, "L2.H1")).toMatchObject({
      label: "towns",
      labeller: { kind: "manual", by: "own.json" },
    });
    expect(named(both, "L2.H0").labeller.kind).toBe("tags");
    expect(both.origin.labels).toEqual(await labelsOrigin(own));
    const { code, stdout, stderr } = await runHere(...args, "--labeller", "manual");
    expect(code).toBe(0);
    expect(parse(stdout).heads.map(({ name }) => name)).toEqual(["L2.H1"]);
    expect(jsonLines(stderr)).toEqual([
      { warning: { code: "LABELS_MISSING", message: expect.stringMatching(/^no label for L2\.H0, L2\.H2/) } },
    ]);
    await writeFile(own, JSON.stringify({ heads: { "L3.H1": "towns" } }));
    expectError(await runHere(...args), "HEADS_INVALID");
  });

  it.each([
    ["neither index nor descriptions", [], "USAGE"],
    ["both", ["--index", "x", "--textspan", "y"], "USAGE"],
    ["a labeller by hand without a file", ["--labeller", "manual"], "USAGE"],
    ["a result of another kind", ["--textspan", "{T}", "--out", "labels.csv"], "USAGE"],
    ["a result over its input", ["--textspan", "{T}", "--out", "{T}"], "USAGE"],
    [
      "a language model without a server",
      ["--textspan", "{T}", "--labeller", "llm", "--llm-model", "m"],
      "USAGE",
    ],
    [
      "only judges to name heads",
      ["--textspan", "{T}", "--labeller", "llm", "--llm-url", "http://localhost:1", "--judge-model", "m"],
      "USAGE",
    ],
    ["one price", ["--textspan", "{T}", "--price-in", "1"], "USAGE"],
    [
      "published labels of a model that has none",
      ["--textspan", "{T}", "--labeller", "published"],
      "LABELS_MISSING",
    ],
    ["descriptions that are none", ["--textspan", repositoryPath("package.json")], "JSON_INVALID"],
    ["an MLP", ["--index", "{I}", "--heads", "L1.MLP"], "HEADS_INVALID"],
  ])("refuses %s", async (_, args, code) => {
    const filled = args.map((arg) => arg.replace("{T}", textspan()).replace("{I}", index()));
    expectError(await runHere("label", ...filled), code);
  });
});

describe("a labels file", () => {
  const by = "emoji-4x128-p8";
  it.each([
    [
      "as `label` writes it",
      { model: by, source: "x", heads: { "L3.H1": { label: "colour", consistent: [true] } } },
    ],
    ["by hand", { heads: { "L3.H1": "colour" } }],
    ["by property", { colour: ["L3.H1"] }],
    [
      "of several models",
      { source: "x", models: { [by]: { heads: { "L3.H1": "colour" } }, other: { heads: {} } } },
    ],
  ])("%s names heads for segment, and has metrics", async (_, labels) => {
    const path = join(await testFolder(), "labels.json");
    await writeFile(path, JSON.stringify(labels));
    const image = join(SCENES, "images/0067-monkey.png");
    const args = ["--text", "a monkey", "--heads", "colour", "--labels", path, "--json"];
    expect(await runHere("segment", image, ...args)).toMatchObject({ code: 0 });
    const { stdout } = await runHere("metrics", "--labels", path, "--json");
    const [file] = metricsResultSchema.parse(JSON.parse(stdout)).files;
    expect(file.byProperty).toMatchObject([
      { name: "colour", heads: [{ layer: 3, head: 1, name: "L3.H1" }] },
    ]);
    expect(file.origin.labels).toEqual(await labelsOrigin(path));
  });

  it("with a head under two properties names heads, and has no metrics", async () => {
    const path = join(await testFolder(), "labels.json");
    await writeFile(path, JSON.stringify({ colour: ["L3.H1"], animals: ["L3.H1"] }));
    const image = join(SCENES, "images/0067-monkey.png");
    const args = ["--text", "a monkey", "--heads", "animals", "--labels", path, "--json"];
    expect(await runHere("segment", image, ...args)).toMatchObject({ code: 0 });
    expectError(await runHere("metrics", "--labels", path), "JSON_INVALID");
  });
});

describe("label, by a language model", () => {
  const ask = (url: string, ...more: string[]) => [
    ...["label", "--textspan", textspan(), "--labeller", "llm", "--llm-url", url, "--llm-model", "m"],
    ...more,
  ];

  it("says what it will cost first, asks once, and connects to nothing else; the key is shown nowhere", async () => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    for (const name of ["home", "cwd"]) await mkdir(join(folder, name));
    const watched = join(folder, "connections.txt");
    const how: CliOptions = {
      apart: true,
      cwd: join(folder, "cwd"),
      env: {
        ...bareEnvironment(join(folder, "home")),
        CLIP_INTERPRET_LLM_KEY: KEY,
        NODE_OPTIONS: `--require=${repositoryPath("test/support/watch-connections.cjs")}`,
        WATCH_CONNECTIONS: watched,
      },
    };
    const prices = ["--price-in", "1", "--price-out", "2", "--json"];
    const { origin, ...estimate } = labelEstimateSchema.parse(
      JSON.parse(await runOk(ask(server.url, "--estimate", ...prices), how)),
    );
    expect(origin.program).toBe("clip-interpret");
    expect(estimate).toMatchObject({ requests: 12, cached: 0 });
    expect(server.seen).toEqual([]);
    const stdout = await runOk(ask(server.url, ...prices), how);
    const labelled = parse(stdout);
    const { heads, llm } = labelled;
    expect(named(labelled, "L2.H5")).toMatchObject({
      label: "Location",
      consistent: [true, true, true, false],
    });
    expect(llm).toMatchObject({ estimate, asked: 12, cached: 0, tokensIn: 1200, tokensOut: 84 });
    expect(llm?.cost).toBeCloseTo((1200 + 2 * 84) / 1e6, 12);
    expect(server.seen[0].headers.authorization).toBe(`Bearer ${KEY}`);
    // Again: nothing is asked, and the labels are the same.
    const again = parse(await runOk(ask(server.url, "--json"), how));
    expect(again.heads).toEqual(heads);
    expect(again.llm).toMatchObject({ asked: 0, cached: 12 });
    expect(server.seen).toHaveLength(12);
    const { host } = new URL(server.url);
    const connections = (await readFile(watched, "utf8")).trim().split("\n");
    expect(new Set(connections)).toEqual(new Set([host]));
    // What is left on the disk is the answers, and no key.
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    const written = files.filter(({ name }) => name !== "connections.txt");
    expect(written).toHaveLength(12);
    for (const { parentPath, name } of written) {
      expect(parentPath).toContain(join("home", ".cache", "clip-interpret", "answers"));
      expect(await readFile(join(parentPath, name), "utf8")).not.toContain(KEY);
    }
    expect(stdout).not.toContain(KEY);
  });

  it("goes on after Ctrl-C with what is missing", async () => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    const out = join(folder, "labels.json");
    const args = ask(server.url, "--llm-concurrency", "1", "--out", out);
    server.interfere = () => {
      if (server.seen.length < 6) return false;
      child.kill("SIGINT");
      return true;
    };
    const { child, result } = startCli(args, cachedIn(folder));
    const { code, stderr } = await result;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^error CANCELLED: .*What was answered is kept.*\n$/);
    expect(await readdir(folder)).toEqual(["cache"]);
    server.interfere = () => false;
    const text = await runOk(args, cachedIn(folder));
    expect(text).toContain("estimate: 7 requests (5 more are answered already)");
    expect(server.seen).toHaveLength(6 + 7);
    expect(Object.keys((await readLabels(out)).heads)).toHaveLength(6);
  });

  it("judges by several models, and labels by hand cost nothing to name", async () => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    const own = join(folder, "own.json");
    await writeFile(own, JSON.stringify({ towns: HEADS.map(({ name }) => name) }));
    const judges = ["--judge-model", "a", "--judge-model", "b", "--judge-model", "c"];
    const judged = parse(
      await runOk(ask(server.url, "--labels", own, ...judges, "--json"), cachedIn(folder)),
    );
    expect(server.seen.filter(({ judging }) => !judging)).toEqual([]);
    expect(server.seen).toHaveLength(18);
    expect(named(judged, "L2.H0").judge?.votes).toHaveLength(3);
  });

  it("keeps going past a bad answer, examines the judges, and says what their verdicts are worth", async () => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    vi.stubEnv("CLIP_INTERPRET_CACHE", join(folder, "cache"));
    onTestFinished(() => void vi.unstubAllEnvs());
    // Yes to what is true, but b takes every hill for one.
    const fits = (label: string, line: string, model: string) =>
      (model === "b" && line.includes("hill")) ||
      (/animal/i.test(label) ? /cat/ : /street|beach|hill/).test(line);
    server.answer = ({ question, judging, body }) => {
      if (!judging) return question.includes("number 1") ? "I do not want to say that" : "Places";
      const [label, ...lines] = question.split("\n");
      return lines.map((line, i) => `${i + 1}. ${fits(label, line, body.model) ? "Yes" : "No"}`).join("\n");
    };
    const [examples, out] = [join(folder, "examples.json"), join(folder, "labels.json")];
    await writeFile(examples, JSON.stringify([{ descriptions: ["Lisbon"], label: "Towns", fits: [true] }]));
    const judges = ["--judge-model", "a", "--judge-model", "b", "--judge-model", "c"];
    const more = [...judges, "--distractors", "30", "--keep-going", "--examples", examples, "--out", out];
    const { stdout, stderr, code } = await runHere(...ask(server.url, ...more, "--json"));
    expect(code).toBe(0);
    expect(stderr).toContain("LLM_INCOMPLETE");
    const { failed, agreement, exam, llm } = parse(stdout);
    expect(failed).toMatchObject([{ name: "L2.H1", step: "label", code: "LLM_ANSWER_INVALID" }]);
    expect(Object.keys((await readLabels(out)).heads)).toHaveLength(5);
    expect(agreement).toMatchObject({ verdicts: 20, fleiss: 1 });
    const host = new URL(server.url).host;
    expect(exam?.judges.map(({ by, specificity }) => [by, specificity.share === 1])).toEqual([
      [`a at ${host}`, true],
      [`b at ${host}`, false],
      [`c at ${host}`, true],
    ]);
    expect(exam?.majority).toMatchObject({ sensitivity: { share: 1 }, specificity: { share: 1 } });
    expect(exam?.corrected).toMatchObject({ apparent: 0.75, value: 0.75 });
    // All of it was in the estimate, but for the head that has no label.
    expect(llm?.estimate.requests).toBe(6 + 3 * (6 + 30));
    const text = (await runHere(...ask(server.url, ...more))).stdout;
    expect(text).toMatch(/No usable answer for L2\.H1/);
    expect(text).toMatch(/Fleiss' κ of all 1\.00/);
    expect(text).toMatch(/corrected for the judges' errors 3\.75 \[/);
    const metrics = await runHere("metrics", "--labels", out);
    expect(metrics.stdout).toMatch(/Cohen's κ/);
    expectError(await runHere("label", "--textspan", textspan(), "--distractors", "3"), "USAGE");
  });

  it.each([
    ["a wrong key", 401, "LLM_UNAUTHORIZED"],
    ["a model that is not there", 404, "LLM_MODEL_UNKNOWN"],
    ["too many requests", 429, "LLM_RATE_LIMITED"],
  ])("%s is an error on one line, without the key", async (_what, status, code) => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    server.interfere = (_, response) => sendJson(response, { error: { message: `no: ${KEY}` } }, status);
    const args = ask(server.url, "--llm-retries", "0", "--json", "--debug");
    const failed = await runCli(args, cachedIn(folder, { CLIP_INTERPRET_LLM_KEY: KEY }));
    expect({ code: failed.code, stdout: failed.stdout }).toEqual({ code: 1, stdout: "" });
    expect(jsonLines(failed.stderr)).toMatchObject([{ error: { code, stack: expect.any(String) } }]);
    expect(failed.stderr).not.toContain(KEY);
  });

  it("a server that is not there is an error that names it", async () => {
    const [server, folder] = [await serveLlm(), await testFolder()];
    server.stop();
    const failed = await runCli(ask(server.url, "--llm-retries", "0", "--json"), cachedIn(folder));
    expectError(failed, "LLM_UNREACHABLE");
    expect(failed.stderr).toContain(server.url);
  });
});
