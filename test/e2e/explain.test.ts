import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { explainResultSchema } from "../../src/results/explain.ts";
import { bareEnvironment, expectError, repositoryPath, runCli, runOk, testFolder } from "./cli.ts";

interface Scene {
  readonly path: string;
  readonly candidates: { readonly isTrue: readonly string[]; readonly isFalse: readonly string[] };
}

const scenePath = (file: string) => repositoryPath(`examples/scenes/${file}`);
const lines = readFileSync(scenePath("scenes.jsonl"), "utf8").trimEnd().split("\n");
const scenes: Scene[] = lines.slice(0, 8).map((line) => JSON.parse(line));
const config = JSON.parse(
  readFileSync(repositoryPath(`models/${DEFAULT_MODEL}/open_clip_config.json`), "utf8"),
) as { model_cfg: { vision_cfg: { layers: number; width: number; head_width: number } } };
const { layers, width, head_width: headWidth } = config.model_cfg.vision_cfg;
const first = scenePath(scenes[0].path);

/** The arguments that explain an image by some texts. */
const explainArgs = (image: string, texts: readonly string[], ...more: string[]) => [
  ...["explain", image, ...texts.flatMap((text) => ["--text", text])],
  ...more,
];

/** The validated JSON that a command printed. */
const parse = (stdout: string) => explainResultSchema.parse(JSON.parse(stdout));
const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;

describe("explain over the example scenes", () => {
  const results = new Map<Scene, ReturnType<typeof parse>>();
  beforeAll(async () => {
    await Promise.all(
      scenes.map(async (scene) => {
        const { isTrue, isFalse } = scene.candidates;
        const args = explainArgs(scenePath(scene.path), [...isTrue, ...isFalse], "--json");
        results.set(scene, parse(await runOk(args)));
      }),
    );
  });

  it("gives every head and MLP of every text once, in order", () => {
    const heads = Array.from({ length: (layers * width) / headWidth }, (_, i) => {
      const perLayer = width / headWidth;
      return { layer: Math.floor(i / perLayer), head: i % perLayer };
    });
    const mlps = ["embed", ...Array.from({ length: layers }, (_, layer) => `L${layer}.MLP`)];
    expect(results.size).toBe(scenes.length);
    for (const [{ candidates }, result] of results) {
      expect(result.texts.map(({ text }) => text)).toEqual([...candidates.isTrue, ...candidates.isFalse]);
      for (const explanation of result.texts) {
        expect(explanation.heads.map(({ layer, head }) => ({ layer, head }))).toEqual(heads);
        expect(explanation.mlps.map(({ component }) => component)).toEqual(mlps);
      }
    }
  });

  it("adds up: the parts are the sum, and the sum is the similarity to 1e-6", () => {
    for (const { texts, sumError } of results.values()) {
      expect(sumError).toBeLessThan(1e-5);
      for (const { heads, mlps, sum, similarity, error } of texts) {
        const total = [...heads, ...mlps].reduce((soFar, { value }) => soFar + value, 0);
        expect(Math.abs(total - sum)).toBeLessThan(1e-12);
        expect(Math.abs(sum - similarity)).toBe(error);
        expect(error).toBeLessThanOrEqual(1e-6);
        expect(Math.abs(similarity)).toBeLessThanOrEqual(1);
      }
    }
  });

  it("tells texts apart by all components together, not by chance alone", () => {
    // Two different texts share no component's value: nothing is a constant.
    const [a, b] = [...results.values()][0].texts;
    expect(a.heads.every(({ value }, i) => value !== b.heads[i].value)).toBe(true);
  });

  // The model is small: what is asked of it is that it knows its world, not that it is never wrong.
  it("finds the true texts nearer than the false ones on average", () => {
    const scores = (pick: (scene: Scene) => readonly string[]) =>
      [...results].flatMap(([scene, { texts }]) =>
        texts.filter(({ text }) => pick(scene).includes(text)).map(({ similarity }) => similarity),
      );
    const isTrue = mean(scores(({ candidates }) => candidates.isTrue));
    expect(isTrue).toBeGreaterThan(mean(scores(({ candidates }) => candidates.isFalse)));
  });

  it("puts a true text first in most scenes", () => {
    const right = [...results].filter(([{ candidates }, { texts }]) => {
      const top = texts.reduce((best, text) => (text.similarity > best.similarity ? text : best));
      return candidates.isTrue.includes(top.text);
    });
    expect(right.length).toBeGreaterThan(scenes.length / 2);
  });
});

describe("explain", () => {
  it("prints the same bytes every time and at any --threads", async () => {
    const args = explainArgs(first, ["a whale", "a red scene"]);
    const text = await runOk(args);
    expect(text).toContain("a red scene");
    expect(await runOk(args)).toBe(text);
    // More threads than the machine has cores, too: they must neither change a bit nor spin for ever.
    expect(await runOk([...args, "--threads", "999"])).toBe(text);
    const json = await runOk([...args, "--json", "--threads", "1"]);
    expect(await runOk([...args, "--json", "--threads", "2"])).toBe(json);
  });

  it("gives a text the same numbers alone and among others", async () => {
    const alone = parse(await runOk(explainArgs(first, ["a whale"], "--json")));
    const among = parse(await runOk(explainArgs(first, ["three strawberries", "a whale", "?"], "--json")));
    expect(among.texts[1]).toEqual(alone.texts[0]);
  });

  it("draws PNG, HTML and SVG that stand by themselves", async () => {
    const folder = join(await testFolder(), "new", "ünï cödé");
    const files = ["a.png", "a.html", "a.svg", "B.SVG"].map((file) => join(folder, file));
    const texts = ["a whale", "<script>alert('1')</script> & \"more\""];
    const args = explainArgs(first, texts, ...files.flatMap((file) => ["--out", file]));
    parse(await runOk([...args, "--json"]));
    expect((await readdir(folder)).sort()).toEqual(["B.SVG", "a.html", "a.png", "a.svg"]);

    const [png, html, svg] = files;
    await expectPicture(png);
    await expectPicture(svg);
    for (const file of [html, svg]) expectSelfContained(readFileSync(file, "utf8"));
    expect(readFileSync(html, "utf8")).toContain("&lt;script&gt;alert(");
  });

  it("holds scores against another text, the average picture and the same without some heads", async () => {
    const folder = await testFolder();
    const index = join(folder, "scenes.index");
    const images = scenes.slice(0, 5).map(({ path }) => scenePath(path));
    await mkdir(join(folder, "scenes"));
    for (const image of images) await copyFile(image, join(folder, "scenes", basename(image)));
    await runOk(["index", join(folder, "scenes"), "--out", index, "--quiet"]);
    const texts = ["a whale", "a red scene"];
    const run = async (...more: string[]) => parse(await runOk(explainArgs(first, texts, ...more, "--json")));
    const { texts: plain } = await run();
    const partsOf = ({ heads, mlps }: { heads: { value: number }[]; mlps: { value: number }[] | null }) =>
      [...heads, ...(mlps ?? [])].reduce((sum, { value }) => sum + value, 0);

    const { compared } = await run("--against", texts[1]);
    expect(compared).toMatchObject({ against: texts[1], less: null });
    const [held] = compared!.texts;
    expect(held.score).toBeCloseTo(plain[0].similarity - plain[1].similarity, 9);
    expect(partsOf(held)).toBeCloseTo(held.score, 6);
    for (const [i, { value }] of held.heads.entries())
      expect(value).toBeCloseTo(plain[0].heads[i].value - plain[1].heads[i].value, 9);

    // Over all images of the index, what is above their average adds up to nothing.
    let [above, below] = [0, 0];
    for (const image of images) {
      const less = explainArgs(image, [texts[0]], "--less-average", "--index", index, "--json");
      const [one] = parse(await runOk(less)).compared!.texts;
      above += one.score;
      below += Math.abs(one.score);
    }
    expect(Math.abs(above) / below).toBeLessThan(1e-5);

    const out = async (...more: string[]) => (await run("--ablate", "L3.H1,L2", ...more)).ablated!;
    const isOut = ({ layer, head }: { layer: number; head: number }) =>
      layer === 2 || (layer === 3 && head === 1);
    const { texts: zeroed, over } = await out("--replacement", "zero");
    expect(over).toBeNull();
    for (const [i, { without, random }] of zeroed.entries()) {
      const gone = plain[i].heads.filter(isOut).reduce((sum, { value }) => sum + value, 0);
      expect(without).toBeCloseTo(plain[i].similarity - gone, 6);
      expect(random!.low <= random!.mean && random!.mean <= random!.high).toBe(true);
    }
    const averaged = await out("--index", index);
    expect(averaged.over!.images).toBe(5);
    expect(averaged.texts[0].without).not.toBeCloseTo(zeroed[0].without, 4);
    expect(await runOk(explainArgs(first, texts, "--against", texts[1]))).toContain(`against “${texts[1]}”`);
    expectError(await runCli(explainArgs(first, texts, "--less-average")), "USAGE");
  });

  it("shows an example scene and where to go next when no image is named", async () => {
    const stdout = await runOk(["explain"]);
    const [, next] = stdout.split("Where to go next:");
    expect(next).toContain("clip-interpret explain");
    const help = await runOk(["explain", "--help"]);
    for (const option of next.match(/--[a-z-]+/g) ?? []) expect(help).toContain(option);
    expect(stdout).toContain("add up exactly");
    // One is true and one is false in one thing, so that it has something to show.
    const { texts, origin } = parse(await runOk(["explain", "--json"]));
    expect(texts.length).toBeGreaterThan(1);
    expect(existsSync(origin.image.name)).toBe(true);
  });

  it("keeps what could command a terminal out of its output", async () => {
    const stdout = await runOk(explainArgs(first, ["\u001b[31mred\u0007\nline"]));
    expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  it("reads very long texts, with a warning on one line for each", async () => {
    // The first is longer than the command line on which ONNX Runtime's telemetry, were it on, would crash.
    const texts = ["a whale ".repeat(10_000), "a\nwhale ".repeat(100)];
    const env = bareEnvironment(await testFolder());
    const { code, stderr } = await runCli(explainArgs(first, texts, "--json"), { env, apart: true });
    expect(code).toBe(0);
    const lines = stderr.trimEnd().split("\n");
    const warning = { code: "TEXT_TRUNCATED", message: expect.stringContaining("tokens") };
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ warning }, { warning }]);
  });

  it("draws nothing and prints nothing when a picture cannot be written", async () => {
    const folder = await testFolder();
    expectError(await runCli(explainArgs(first, ["a"], "--out", folder)), "USAGE");
    const below = join(first, "below.png");
    expectError(await runCli(explainArgs(first, ["a"], "--out", below)), "OUTPUT_UNWRITABLE");
  });
});

/** Expects an image of some size with something on it. */
async function expectPicture(path: string): Promise<void> {
  const { width = 0, height = 0 } = await sharp(path).metadata();
  expect(Math.min(width, height)).toBeGreaterThan(100);
  const { channels } = await sharp(path).flatten({ background: "white" }).stats();
  for (const { stdev } of channels.slice(0, 3)) expect(stdev).toBeGreaterThan(5);
}

/** Expects markup that runs nothing and fetches nothing. */
function expectSelfContained(markup: string): void {
  expect(markup.length).toBeGreaterThan(5000);
  expect(markup).not.toMatch(/<script/i);
  expect(markup).not.toMatch(/<(iframe|link|object|embed)\b/i);
  expect(markup).not.toMatch(/\b(src|href|srcset|action)\s*=\s*["']?\s*(https?:)?\/\//i);
  expect(markup).not.toMatch(/url\(\s*["']?\s*(https?:)?\/\//i);
  expect(markup).not.toMatch(/<[^>]+\son[a-z]+\s*=/i);
}
