import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, goldenTokens, MODELS } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";

describe.each(MODELS)("%s in int8", (name) => {
  let exact: ClipModel;
  let int8: ClipModel;
  let pixels: Float32Array;
  beforeAll(async () => {
    const folder = goldenPath(`${name}/open_clip`);
    exact = await loadClipModel(folder);
    int8 = await loadClipModel(folder, undefined, { precision: "int8" });
    pixels = (await goldenArray(`${name}/pixels.npy`, 4)).data;
  });
  afterAll(() => Promise.all([exact.release(), int8.release()]));

  it("says what it is", () => expect([exact.precision, int8.precision]).toEqual(["fp32", "int8"]));

  it("is near float32 and is not float32", async () => {
    const tokens = await goldenTokens(name);
    const layers = exact.config.vision.layers;
    const [a, b] = await Promise.all(
      [exact, int8].map((model) => model.decompose(pixels, { tokenLayers: [layers - 1] })),
    );
    const attentions = [a, b].map(({ tokens }) => tokens.layers.get(layers - 1)!.attention);
    const texts = await Promise.all([exact, int8].map((model) => model.encodeTokens(tokens)));
    for (const [approximate, whole] of [
      [b.embedding, a.embedding],
      [b.z, a.z],
      [b.mlps, a.mlps],
      attentions.toReversed(),
      texts.toReversed(),
    ]) {
      const error = relativeError(approximate, whole);
      expect(error).toBeGreaterThan(1e-4);
      expect(error).toBeLessThan(0.08);
    }
  });

  it("still sums exactly: to what the quantised network computed", async () => {
    const { error } = await int8.decompose(pixels);
    expect(Math.max(...error)).toBeLessThan(1e-5);
  });

  it("gives an image and a text the same bits alone and in a batch", async () => {
    const perImage = 3 * int8.config.vision.imageSize ** 2;
    const count = pixels.length / perImage;
    const whole = await int8.decompose(pixels);
    for (let image = 0; image < count; image++) {
      const alone = await int8.decompose(pixels.slice(image * perImage, (image + 1) * perImage));
      for (const key of ["z", "embedding", "mlps"] as const) {
        const each = whole[key].length / count;
        expect(alone[key]).toEqual(whole[key].slice(image * each, (image + 1) * each));
      }
    }
    const tokens = await goldenTokens(name);
    const all = await int8.encodeTokens(tokens);
    const { embedDim } = int8.config;
    for (const [i, ids] of tokens.entries()) {
      expect(await int8.encodeTokens([ids])).toEqual(all.slice(i * embedDim, (i + 1) * embedDim));
    }
  });
});

describe("every output of an int8 model says so, and none of a float32 one", () => {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "precision-"));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  it.each(["fp32", "int8"])("explain in %s: terminal, picture, page, JSON", async (precision) => {
    const [svg, html] = ["svg", "html"].map((kind) => join(scratch, `${precision}.${kind}`));
    const { code, stdout } = await runHere("explain", "--precision", precision, "--out", svg, "--out", html);
    expect(code).toBe(0);
    for (const text of [stdout, readFileSync(svg, "utf8"), readFileSync(html, "utf8")]) {
      expect(text.replace(/<[^>]*>|\s+/g, " ").includes("int8 approximation")).toBe(precision === "int8");
    }
    const json = JSON.parse((await runHere("explain", "--precision", precision, "--json")).stdout);
    expect(json.origin.model.precision).toBe(precision);
    expect(json.sumError).toBeLessThan(1e-5);
  });

  it.each(["fp32", "int8"])("decompose in %s: text and JSON", async (precision) => {
    const pixels = goldenPath("gelu-p8/pixels.npy");
    const args = ["decompose", "--pixels", pixels, "--model", goldenPath("gelu-p8/open_clip")];
    const text = await runHere(
      ...args,
      "--precision",
      precision,
      "--out",
      join(scratch, `${precision}-text`),
    );
    expect(text.stdout.includes("int8 approximation")).toBe(precision === "int8");
    const json = await runHere(
      ...args,
      "--precision",
      precision,
      "--json",
      "--out",
      join(scratch, precision),
    );
    expect(JSON.parse(json.stdout).origin.model.precision).toBe(precision);
  });
});
