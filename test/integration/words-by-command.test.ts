import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decomposeTextsResultSchema } from "../../src/results/decompose.ts";
import { exportResultSchema } from "../../src/results/export.ts";
import { wordsResultSchema } from "../../src/results/words.ts";
import { readFloatNpy } from "../../src/support/npy.ts";
import { goldenPath } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";

const SCENE = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const TEXT = "two cats on a green background";
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "words-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("explain --words", () => {
  it("prints words, their maps and the whole sum; the JSON and the CSV hold the same numbers", async () => {
    const asked = ["explain", SCENE, "--words", "--text", TEXT];
    const found = wordsResultSchema.parse(JSON.parse(await ok(...asked, "--json")));
    expect(found.words.map(({ text }) => text)).toEqual(TEXT.split(" "));
    expect(Math.abs(found.sum - found.similarity)).toBeLessThan(1e-6);
    const rows = (await ok(...asked, "--csv")).split("\n").filter((line) => /^(word|rest),/.test(line));
    const values = rows.map((row) => Number(row.split(",").at(-1)));
    expect(sumOf(values)).toBeCloseTo(found.similarity, 6);
    expect(rows.filter((row) => row.includes(",cats,patch,"))).toHaveLength(64);
    const said = await ok(...asked, "--token", "2,4", "--pairs", "2");
    for (const word of [...TEXT.split(" "), "start token", "MLPs", "Σ", "patch 2,4:"])
      expect(said).toContain(word);
    expect(said.match(/^ {2}T\d\.H\d +L\d\.H\d/gm)).toHaveLength(2);
  });

  it("draws the maps as PNG, SVG and HTML", async () => {
    const out = ["png", "svg", "html"].map((extension) => join(folder, `words.${extension}`));
    await ok("explain", SCENE, "--words", "--text", "a monkey", ...out.flatMap((path) => ["--out", path]));
    const [png, svg, html] = out.map((path) => readFileSync(path));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(svg.toString().match(/<image /g)).toHaveLength(3);
    expect(html.toString()).toContain("Which text head meets which image head");
  });

  it("takes the example without an image, and one text only", async () => {
    expect(await ok("explain", "--words", "--quiet")).toContain("Σ");
    const two = await runHere("explain", SCENE, "--words", "--text", "a", "--text", "b");
    expect(two).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--words reads the words of one text"),
    });
    const image = await runHere("explain", SCENE, "--words", "--text", "a", "--text-heads", "L1");
    expect(image.stderr).toMatch(/HEADS_INVALID.*T0–T2.*T2\.H1/);
  });
});

describe("decompose --text", () => {
  it("writes arrays whose parts sum to the text's embedding, and says which token is which word", async () => {
    const out = join(folder, "arrays");
    const texts = ["a cat", TEXT];
    const asked = ["decompose", ...texts.flatMap((text) => ["--text", text]), "--spatial", "--out", out];
    const found = decomposeTextsResultSchema.parse(JSON.parse(await ok(...asked, "--json")));
    const array = async (name: string, rank: number) => readFloatNpy(join(out, `${name}.npy`), rank);
    const tokens = await array("text_attention_contributions", 5);
    const mlps = await array("text_mlp_contributions", 3);
    const raw = await array("text_embedding", 2);
    const [count, layers, longest, heads, width] = tokens.shape;
    expect([count, longest]).toEqual([2, 8]);
    for (let text = 0; text < count; text++) {
      const sum = new Float64Array(width);
      for (const { data } of [tokens, mlps]) {
        const each = data.length / count;
        for (let at = 0; at < each; at++) sum[at % width] += data[text * each + at];
      }
      const own = raw.data.slice(text * width, (text + 1) * width);
      for (const [d, value] of own.entries()) expect(sum[d]).toBeCloseTo(value / Math.hypot(...own), 5);
    }
    // What the shorter text does not have is nothing.
    const behind = tokens.data.slice(4 * heads * width, longest * heads * width);
    expect(behind.every((value) => value === 0)).toBe(true);
    expect(layers).toBe(3);
    expect(found.texts[1].words.map(({ text }) => text).slice(1, -1)).toEqual(TEXT.split(" "));
    expect(found.sumError).toBeLessThan(1e-5);
    const plain = join(folder, "plain");
    await ok("decompose", "--text", "a cat", "--out", plain);
    const whole = await readFloatNpy(join(plain, "text_attention_contributions.npy"), 4);
    expect(whole.shape).toEqual([1, layers, heads, width]);
  });

  it("wants texts or pixels, not both", async () => {
    for (const more of [[], ["--text", "a", "--pixels", "x.npy"]])
      expect(await runHere("decompose", "--out", folder, ...more)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("either --pixels or --text"),
      });
  });
});

describe("export", () => {
  it("writes both towers; of a model whose texts are not read the image tower, and says so", async () => {
    const out = join(folder, "encoders");
    const found = exportResultSchema.parse(JSON.parse(await ok("export", "--out", out, "--json")));
    expect(found.encoders.map(({ tower }) => tower)).toEqual(["image", "text"]);
    expect(found.left).toBeNull();
    for (const { files } of found.encoders) for (const file of files) expect(existsSync(file)).toBe(true);
    const [model, written] = [join(folder, "unknown-texts"), join(folder, "unknown-texts-encoders")];
    cpSync(goldenPath("kinds/bert"), model, { recursive: true });
    const config = join(model, "open_clip_config.json");
    const json = JSON.parse(readFileSync(config, "utf8"));
    json.model_cfg.text_cfg.hf_pooler_type = "another_pooler";
    writeFileSync(config, JSON.stringify(json));
    const said = await ok("export", "--model", model, "--out", written);
    expect(said).toContain("The text tower was left out");
    expect(existsSync(join(written, "image.onnx"))).toBe(true);
    expect(existsSync(join(written, "text.onnx"))).toBe(false);
  });
});
