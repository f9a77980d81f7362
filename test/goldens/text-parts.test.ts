import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dot } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import type { TokenDecomposition } from "../../src/model/decompose.ts";
import { denseHeads, denseTokens } from "../../src/model/dense.ts";
import type { HeadGeometry } from "../../src/model/geometry.ts";
import { prepareProbe } from "../../src/model/head-space.ts";
import { scoreComponents, scoreTokens } from "../../src/model/kernel.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, goldenTextTokens, goldenTokens, LAYOUTS, MODELS } from "../support/goldens.ts";

const hasParts = (folder: string) => existsSync(goldenPath(`${folder}/text_contributions.npy`));
const kinds = readdirSync(goldenPath("kinds"))
  .map((kind) => `kinds/${kind}`)
  .filter(hasParts);
const cases = [
  ...MODELS.flatMap((name) => LAYOUTS.map((layout) => ({ folder: `${name}/${layout}`, arrays: name }))),
  ...kinds.map((folder) => ({ folder, arrays: folder })),
];

it("every kind of tower whose texts are taken apart has a golden", () => {
  expect(kinds.map((kind) => kind.slice("kinds/".length))).toEqual([
    ...["altclip", "bert", "chinese-clip", "coca", "end-by-id", "layer-scale", "mean-norm", "mt5", "nllb"],
    ...["norm-mean", "roberta", "siglip-timm", "siglip-transformers"],
  ]);
});

describe.each(cases)("a text's parts in $folder equal its library's, whole arrays", ({ folder, arrays }) => {
  let model: ClipModel;
  let geometry: HeadGeometry;
  let texts: number[][];
  let parts: TokenDecomposition[];
  let reference: { shape: number[]; data: Float32Array };

  beforeAll(async () => {
    model = await loadClipModel(goldenPath(folder));
    geometry = await model.textGeometry();
    reference = await goldenArray(`${arrays}/text_contributions.npy`, 5);
    const all = arrays.startsWith("kinds/") ? goldenTextTokens(arrays, model) : goldenTokens(arrays);
    texts = (await all).slice(0, reference.shape[0]);
    const tokenLayers = Array.from({ length: geometry.layers }, (_, layer) => layer);
    parts = await Promise.all(texts.map((ids) => model.decomposeTokens([ids], { tokenLayers })));
  });
  afterAll(() => model?.release());

  it("what every head read of every token, to 1e-5", async () => {
    const [, layers, tokens, heads, width] = reference.shape;
    const dense = new Float32Array(reference.data.length);
    const summed = new Float64Array(texts.length * layers * heads * width);
    for (const [text, one] of parts.entries()) {
      for (let layer = 0; layer < layers; layer++) {
        const read = await denseTokens(model.matmul, geometry, one, layer, 0);
        dense.set(read, (text * layers + layer) * tokens * heads * width);
        for (const [at, value] of read.entries())
          summed[(text * layers + layer) * heads * width + (at % (heads * width))] += value;
      }
    }
    expect(relativeError(dense, reference.data)).toBeLessThan(1e-5);
    for (const [text, one] of parts.entries()) {
      const whole = await denseHeads(model.matmul, geometry, one);
      expect(
        relativeError(summed.subarray(text * whole.length, (text + 1) * whole.length), whole),
      ).toBeLessThan(1e-5);
    }
  });

  it("what the embedding and the MLPs wrote, to 1e-5", async () => {
    const { data } = await goldenArray(`${arrays}/text_other_contributions.npy`, 3);
    const own = parts.flatMap(({ mlps }) => [...mlps]);
    expect(relativeError(own, data)).toBeLessThan(1e-5);
  });

  it("the kernel reads it as an image: components sum to the cosine, tokens to their heads", () => {
    const [one] = parts;
    const direction = Float64Array.from({ length: geometry.embedDim }, (_, d) => Math.sin(d + 1));
    const probe = prepareProbe(geometry, direction);
    const cosine = dot(one.embedding, direction) / Math.hypot(...one.embedding);
    const { heads, mlps } = scoreComponents(geometry, probe, one);
    expect([...heads, ...mlps].reduce((sum, value) => sum + value, 0)).toBeCloseTo(cosine, 5);
    const tokens = scoreTokens(geometry, probe, one, one.tokens, allHeads(geometry));
    expect(tokens.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
      heads.reduce((sum, value) => sum + value, 0),
      5,
    );
  });

  it("the embedding is that of the plain encoder, whatever is decomposed beside it", async () => {
    const plain = await model.encodeTokens(texts);
    const own = parts.flatMap(({ embedding }) => [...embedding]);
    expect(relativeError(own, plain)).toBeLessThan(1e-6);
    const [first] = texts;
    const same = texts.filter(({ length }) => length === first.length);
    const together = await model.decomposeTokens([...same, first]);
    expect(relativeError(together.z.slice(-parts[0].z.length), parts[0].z)).toBeLessThan(1e-6);
    expect(Math.max(...together.error, ...parts.map(({ error }) => error[0]))).toBeLessThan(1e-5);
  });
});
