import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { denseHeads } from "../../src/model/dense.ts";
import { relativeError } from "../support/compare.ts";
import { decomposeGolden, equalsReference, type GoldenDecomposition } from "../support/golden-decomposition.ts";
import { goldenArray, goldenTokens, LAYOUTS, MODELS } from "../support/goldens.ts";

const cases = [
  ...MODELS.flatMap((name) => LAYOUTS.map((layout) => ({ name, layout }))),
  { name: "gelu-p8", layout: "open_clip_bin" },
];

describe.each(cases)("$name from $layout equals the reference, whole arrays", ({ name, layout }) => {
  let golden: GoldenDecomposition;

  beforeAll(async () => {
    golden = await decomposeGolden(`${name}/${layout}`, name);
  });
  afterAll(() => golden?.model.release());

  equalsReference(name, () => golden);

  it("text embedding, to 1e-5", async () => {
    const { data } = await goldenArray(`${name}/text_embedding.npy`, 2);
    expect(relativeError(await golden.model.encodeTokens(await goldenTokens(name)), data)).toBeLessThan(1e-5);
  });

  it("μ and σ of the final layer norm, to 1e-5", async () => {
    const mean = await goldenArray(`${name}/ln_post_mean.npy`, 2);
    const deviation = await goldenArray(`${name}/ln_post_std.npy`, 2);
    expect(relativeError(golden.parts.mu, mean.data)).toBeLessThan(1e-5);
    expect(relativeError(golden.parts.sigma, deviation.data)).toBeLessThan(1e-5);
  });

  it("MLP contributions, to 1e-5", async () => {
    const { data } = await goldenArray(`${name}/mlp_contributions.npy`, 3);
    expect(relativeError(golden.parts.mlps, data)).toBeLessThan(1e-5);
  });

  it("the parts sum to e/‖e‖, to 1e-5, and the self-check says so", async () => {
    const { model, parts } = golden;
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
