import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClipModel, loadClipModel } from "../../src/model/clip-model.ts";
import type { TokenDecomposition } from "../../src/model/decompose.ts";
import { denseHeads, denseTokens } from "../../src/model/dense.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, goldenTokens, LAYOUTS, MODELS } from "../support/goldens.ts";

const cases = [
  ...MODELS.flatMap((name) => LAYOUTS.map((layout) => ({ name, layout }))),
  { name: "gelu-p8", layout: "open_clip_bin" },
];

describe.each(cases)("$name from $layout equals the reference, whole arrays", ({ name, layout }) => {
  let model: ClipModel;
  let parts: TokenDecomposition;
  let reference: { shape: number[]; data: Float32Array };

  beforeAll(async () => {
    model = await loadClipModel(goldenPath(`${name}/${layout}`));
    const tokenLayers = Array.from({ length: model.config.vision.layers }, (_, layer) => layer);
    const pixels = await goldenArray(`${name}/pixels.npy`, 4);
    parts = await model.decompose(pixels.data, { tokenLayers });
    reference = await goldenArray(`${name}/attention_contributions.npy`, 5);
  });
  afterAll(() => model.release());

  it("image embedding, to 1e-5", async () => {
    const { data } = await goldenArray(`${name}/image_embedding.npy`, 2);
    expect(relativeError(parts.embedding, data)).toBeLessThan(1e-5);
  });

  it("text embedding, to 1e-5", async () => {
    const { data } = await goldenArray(`${name}/text_embedding.npy`, 2);
    expect(relativeError(await model.encodeTokens(await goldenTokens(name)), data)).toBeLessThan(1e-5);
  });

  it("μ and σ of the final layer norm, to 1e-5", async () => {
    const mean = await goldenArray(`${name}/ln_post_mean.npy`, 2);
    const deviation = await goldenArray(`${name}/ln_post_std.npy`, 2);
    expect(relativeError(parts.mu, mean.data)).toBeLessThan(1e-5);
    expect(relativeError(parts.sigma, deviation.data)).toBeLessThan(1e-5);
  });

  it("MLP contributions, to 1e-5", async () => {
    const { data } = await goldenArray(`${name}/mlp_contributions.npy`, 3);
    expect(relativeError(parts.mlps, data)).toBeLessThan(1e-5);
  });

  it("head contributions, to 1e-5", async () => {
    const dense = await denseHeads(model.matmul, model.geometry, parts);
    const [images, layers, tokens, heads, width] = reference.shape;
    const summed = new Float64Array(dense.length);
    for (let row = 0; row < images * layers; row++) {
      for (let at = 0; at < tokens * heads * width; at++) {
        summed[row * heads * width + (at % (heads * width))] += reference.data[row * tokens * heads * width + at];
      }
    }
    expect(relativeError(dense, summed)).toBeLessThan(1e-5);
  });

  it("token contributions, to 1e-4", async () => {
    const [images, layers] = reference.shape;
    const dense = new Float32Array(reference.data.length);
    for (let image = 0; image < images; image++) {
      for (let layer = 0; layer < layers; layer++) {
        const tokens = await denseTokens(model.matmul, model.geometry, parts, layer, image);
        dense.set(tokens, (image * layers + layer) * tokens.length);
      }
    }
    expect(relativeError(dense, reference.data)).toBeLessThan(1e-4);
  });

  it("the parts sum to e/‖e‖, to 1e-5, and the self-check says so", async () => {
    const dense = await denseHeads(model.matmul, model.geometry, parts);
    const { embedDim } = model.config;
    const sums = new Float64Array(parts.embedding.length);
    for (const array of [dense, parts.mlps]) {
      const perImage = array.length / parts.count;
      for (let at = 0; at < array.length; at++) {
        sums[Math.floor(at / perImage) * embedDim + (at % embedDim)] += array[at];
      }
    }
    const whole = parts.embedding.map((value, at) => value / parts.norm[Math.floor(at / embedDim)]);
    expect(relativeError(sums, whole)).toBeLessThan(1e-5);
    expect(Math.max(...parts.error)).toBeLessThan(1e-5);
  });
});
