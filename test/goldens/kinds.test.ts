import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baselineMaps } from "../../src/analysis/segmentation/baselines.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { prepareProbe } from "../../src/model/head-space.ts";
import { scoreComponents, scoreTokens } from "../../src/model/kernel.ts";
import { relativeError } from "../support/compare.ts";
import { decomposeGolden, equalsReference, type GoldenDecomposition } from "../support/golden-decomposition.ts";
import { goldenArray, goldenPath, goldenTextTokens } from "../support/goldens.ts";

const KINDS = readdirSync(goldenPath("kinds")).sort();
describe.each(KINDS)("%s equals its library's model, whole arrays", (kind) => {
  const files = readdirSync(goldenPath(`kinds/${kind}`));
  const file = (name: string) => `kinds/${kind}/${name}.npy`;
  let golden: GoldenDecomposition;

  beforeAll(async () => {
    golden = await decomposeGolden(`kinds/${kind}`);
  });
  afterAll(() => golden?.model.release());

  equalsReference(`kinds/${kind}`, () => golden);

  if (files.includes("text_tokens.npy")) it("text embedding, to 1e-5", async () => {
    const { data } = await goldenArray(file("text_embedding"), 2);
    const { model } = golden;
    const embedded = await model.encodeTokens(await goldenTextTokens(`kinds/${kind}`, model));
    expect(relativeError(embedded, data)).toBeLessThan(1e-5);
  });

  it("what embed, MLPs and pool wrote, to 1e-5", async () => {
    const { data } = await goldenArray(file("other_contributions"), 3);
    expect(relativeError(golden.parts.mlps, data)).toBeLessThan(1e-5);
  });

  it("scores by component and by token are those of the dense arrays, to 1e-5", async () => {
    const { model, parts, reference } = golden;
    const [, layers, tokens, heads, width] = reference.shape;
    const v = Float64Array.from({ length: width }, (_, d) => Math.sin(d + 1));
    const probe = prepareProbe(model.geometry, v);
    const byToken = new Float64Array(tokens);
    const byHead = new Float64Array(layers * heads);
    for (let at = 0; at < layers * tokens * heads * width; at++) {
      const head = Math.floor(at / width) % heads;
      const token = Math.floor(at / (width * heads)) % tokens;
      const layer = Math.floor(at / (width * heads * tokens));
      const value = reference.data[at] * v[at % width];
      byToken[token] += value;
      byHead[layer * heads + head] += value;
    }
    const set = allHeads(model.geometry);
    expect(relativeError(scoreComponents(model.geometry, probe, parts).heads, byHead)).toBeLessThan(1e-5);
    expect(relativeError(scoreTokens(model.geometry, probe, parts, parts.tokens, set), byToken)).toBeLessThan(1e-4);
  });

  it("the parts sum to e/‖e‖, to 1e-5", () => {
    expect(Math.max(...golden.parts.error)).toBeLessThan(1e-5);
  });

  it("gives every token's own way to the embedding; where normalised tokens are averaged, their mean is it", async () => {
    const { model, parts } = golden;
    const pixels = await goldenArray(file("pixels"), 4);
    const { projected, attention, tokens, prefix, embedDim } = await model.readTokens(pixels.data);
    for (let row = 0; row < attention.length; row += tokens) {
      const sum = attention.subarray(row, row + tokens).reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    expect(projected.length).toBe(2 * tokens * embedDim);
    if (model.config.vision.pooling !== "norm-mean") return;
    const mean = new Float64Array(2 * embedDim);
    for (let at = 0; at < projected.length; at++) {
      const token = Math.floor(at / embedDim) % tokens;
      const image = Math.floor(at / (embedDim * tokens));
      if (token >= prefix) mean[image * embedDim + (at % embedDim)] += projected[at] / (tokens - prefix);
    }
    expect(relativeError(mean, parts.embedding)).toBeLessThan(1e-5);
  });

  it("is mapped by every other method that is defined for it; gradients are where CLS is read", async () => {
    const { model } = golden;
    const pixels = await goldenArray(file("pixels"), 4);
    const { embedDim, vision } = model.config;
    const probe = Float64Array.from({ length: embedDim }, (_, d) => Math.cos(d) / Math.sqrt(embedDim));
    const maps = await baselineMaps(model, pixels.data.subarray(0, pixels.data.length / 2), [probe]);
    for (const { values } of maps) {
      expect(values.length).toBe(vision.grid ** 2);
      expect(values.every(Number.isFinite)).toBe(true);
    }
    const byGradient = maps.filter(({ name }) => name === "legrad" || name === "grad-eclip");
    if (vision.pooling !== "cls") expect(byGradient).toEqual([]);
    expect(maps.length).toBeGreaterThanOrEqual(8);
  });

  it("takes no part from what else is in the batch", async () => {
    const { model, parts } = golden;
    const pixels = await goldenArray(file("pixels"), 4);
    const one = await model.decompose(pixels.data.subarray(pixels.data.length / 2));
    const half = <T extends Float32Array>(data: T) => data.subarray(data.length / 2);
    expect(one.z).toEqual(half(parts.z));
    expect(one.mlps).toEqual(half(parts.mlps));
  });
});
