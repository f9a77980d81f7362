import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { send } from "../support/app-server.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * A model in a folder of its own, an index that it made beside it, and every command that reads an index, none of which
 * is told the model.
 */

const NAMED = "emoji-4x128-p16-s2";
const SCENES = repositoryPath("examples/scenes");
let home: string;
let model: string;
let index: string;
let next: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "index-model-"));
  model = join(home, "here", "my 'own' clip");
  await cp(repositoryPath("models/emoji-4x128-p16"), model, { recursive: true });
  index = join(home, "here", "the scenes' index");
  const made = await runHere("index", SCENES, "--out", index, "--model", model);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  next = made.stdout;
});
afterAll(() => rm(home, { recursive: true }));

/** A line that a command prints after "Next:", cut into words as a shell cuts it. */
function wordsOf(printed: string): string[] {
  const line = printed.slice(printed.indexOf("Next:\n") + 6).trim();
  return execFileSync("sh", ["-c", `printf '%s\\0' ${line}`])
    .toString()
    .split("\0")
    .slice(1, -1);
}

const modelName = ({ origin }: { origin: { model: { name: string } } }) => origin.model.name;
const modelOf = ({ stdout }: { stdout: string }) => modelName(JSON.parse(stdout));

describe("an index brings its model", () => {
  it.each([
    ["neighbors", "--heads", "L0.H0", "--text", "a dog"],
    ["similar", "--head", "L1.H1"],
    ["selectivity", "--permutations", "1"],
    ["textspan", "--texts", "emoji", "--heads", "L3.H0", "--iterations", "2", "--resamples", "0"],
    ["label", "--texts", "emoji", "--heads", "L3.H0", "--descriptions", "2"],
    ["evaluate", "retrieval", "-k", "2"],
    ["evaluate", "zero-shot", "--random", "2", "--no-layers"],
  ])("to %s %s", async (...words) => {
    const found = await runHere(...words, "--index", index, "--json");
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect(modelOf(found)).toBe("my 'own' clip");
  });

  it("to study, beside what names its model itself", async () => {
    const few = ["--iterations", "5", "--resamples", "2", "--draws", "5", "--permutations", "1"];
    const pool = ["--texts", "emoji", "--heads", "L3.H0"];
    const found = await runHere(
      "study",
      "--index",
      index,
      ...pool,
      ...few,
      "--out",
      join(home, "study"),
      "--json",
    );
    expect(found).toMatchObject({ code: 0, stderr: "" });
    const { models } = JSON.parse(found.stdout);
    expect(models.map(modelName)).toEqual(["my 'own' clip"]);
  });

  it("to serve, whose page opens with it", async () => {
    const controller = new AbortController();
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const ended = runCli(
      ["serve", "--index", index, "--port", "0", "--json"],
      { stdout, stderr },
      controller.signal,
    );
    try {
      const [line] = await Promise.race([once(stdout, "data"), ended.then(() => [stderr.read()])]);
      const { url } = JSON.parse(String(line));
      const { defaultModel } = (await send(url, "/api/app")).json<{ defaultModel: string }>();
      expect(defaultModel).toMatch(/^my-own-clip-[0-9a-f]{8}$/);
      const { corpora } = (await send(url, "/api/corpora")).json<{ corpora: object[] }>();
      expect(corpora[0]).toMatchObject({ name: "the-scenes-index", indexed: true });
    } finally {
      controller.abort();
      await ended;
    }
    const refused = await runHere("serve", "--index", index, "--model", NAMED, "--port", "1");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /INDEX_MISMATCH: .* made with my 'own' clip, which is not served\. .*--model/,
    );
  });

  it("to compare, with one of another model", async () => {
    const other = join(home, "other.index");
    expect(await runHere("index", SCENES, "--out", other, "--model", NAMED)).toMatchObject({ code: 0 });
    const found = await runHere("compare", "--index", index, "--index", other, "--heads", "L3", "--json");
    expect(found).toMatchObject({ stderr: expect.stringContaining("IMAGES_DIFFER") });
  });

  it("and its next line works when it is pasted, for a folder and for a named model", async () => {
    const named = await runHere("index", SCENES, "--out", join(home, "named"), "--model", NAMED);
    for (const printed of [next, named.stdout]) {
      const words = wordsOf(printed).filter((_, i, all) => all[i] !== "near.html" && all[i] !== "--out");
      expect(await runHere(...words)).toMatchObject({ code: 0, stderr: "" });
    }
  });

  it("whatever CLIP_INTERPRET_MODEL says, which is for what has no index", async () => {
    vi.stubEnv("CLIP_INTERPRET_MODEL", NAMED);
    try {
      const found = await runHere("similar", "--index", index, "--head", "L1.H1", "--json");
      expect(modelOf(found)).toBe("my 'own' clip");
      expect(modelOf(await runHere("explain", "--json"))).toBe(NAMED);
    } finally {
      vi.unstubAllEnvs();
    }
    const twice = await runHere("explain", "--model", NAMED, "--model", model);
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining("--model is given 2 times") });
  });

  it("as it was computed: in eight-bit integers", async () => {
    const rounded = join(home, "int8.index");
    const how = ["--model", NAMED, "--precision", "int8"];
    expect(await runHere("index", SCENES, "--out", rounded, ...how)).toMatchObject({ code: 0 });
    const ask = (...more: string[]) =>
      runHere("similar", "--index", rounded, "--head", "L1.H1", ...more, "--json");
    expect(JSON.parse((await ask()).stdout).origin.model).toMatchObject({ name: NAMED, precision: "int8" });
    const { code, stderr } = await ask("--precision", "fp32");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /INDEX_MISMATCH.* otherwise: precision is int8 there, fp32 here.*--precision int8/,
    );
  });

  it("and goes on with it when images are added", async () => {
    const grown = join(home, "grown");
    const images = join(home, "images");
    const list = (await readFile(join(SCENES, "scenes.jsonl"), "utf8")).trim().split("\n");
    await mkdir(images);
    const write = (n: number) => writeFile(join(images, "list.jsonl"), list.slice(0, n).join("\n"));
    const made = async (...more: string[]) =>
      runHere("index", join(images, "list.jsonl"), "--root", SCENES, "--out", grown, ...more, "--json");
    await write(4);
    expect(await made("--model", model)).toMatchObject({ code: 0 });
    await write(6);
    expect(JSON.parse((await made()).stdout)).toMatchObject({ images: 6, added: 2 });
    expect(await made("--model", NAMED)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("INDEX_MISMATCH"),
    });
  });

  it("when both were moved together, and says where it was when it is gone, and that it is another", async () => {
    await rename(join(home, "here"), join(home, "there"));
    const moved = join(home, "there", "the scenes' index");
    const ask = (...more: string[]) => runHere("similar", "--index", moved, "--head", "L1.H1", ...more);
    expect(await ask()).toMatchObject({ code: 0, stderr: "" });
    await rename(join(home, "there", "my 'own' clip"), join(home, "elsewhere"));
    const gone = await ask();
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain(
      `made with my 'own' clip from ${model}, which is not there. Name it with --model`,
    );
    expect(await ask("--model", join(home, "elsewhere"))).toMatchObject({ code: 0, stderr: "" });
    await cp(repositoryPath(`models/${NAMED}`), model, { recursive: true });
    const other = await ask();
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(
      /^error INDEX_MISMATCH: .* the weights in .* are others now\. Name it with --model/,
    );
    expect(await ask("--model", NAMED)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("INDEX_MISMATCH"),
    });
  });
});
