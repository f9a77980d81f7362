import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ablationGate, meanOutputs } from "../../src/analysis/ablation/forward-ablation.ts";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { describeHeads } from "../../src/analysis/textspan/describe-heads.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { meanContribution } from "../../src/corpus/means.ts";
import { openIndex } from "../../src/corpus/open-search.ts";
import type { Search } from "../../src/corpus/search.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { decomposeImage } from "../../src/model/decompose-image.ts";
import { denseHeads } from "../../src/model/dense.ts";
import { everywhere, exportCheckpoint, oneMean } from "../../src/model/export-checkpoint.ts";
import { exportEncoder } from "../../src/model/export-encoder.ts";
import { prepareProbe } from "../../src/model/head-space.ts";
import { scoreImages } from "../../src/model/kernel.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { imageProbe } from "../../src/model/probe.ts";
import { InferenceSession, Tensor } from "../../src/onnx/runtime.ts";
import { hashPool } from "../../src/text/pool.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";

const PICTURES = fileURLToPath(new URL("../../examples/scenes/images/", import.meta.url));

/** A kind of tower, and whose small tokenizer its texts are read with. */
const KINDS: readonly (readonly [kind: string, tokenizer?: string])[] = [
  ["layer-scale"],
  ["mean-norm", "clipa"],
  ["norm-mean"],
  ["end-by-id", "metaclip2"],
  ["coca"],
  ["siglip-timm", "siglip"],
  ["siglip-transformers", "siglip"],
  ["eva02"],
  ["eva02-post"],
  ["relative"],
  ["perception"],
  ["vitamin"],
];

describe.each(KINDS)("a model of the kind %s", (kind, tokenizer) => {
  let folder: string;
  let model: ClipModel;
  let search: Search;
  /** [n, 3, s, s] */
  let pixels: Float32Array;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kind-"));
    cpSync(goldenPath(`kinds/${kind}`), join(folder, "model"), { recursive: true });
    if (tokenizer) cpSync(goldenPath(`tokenizer/${tokenizer}`), join(folder, "model"), { recursive: true });
    model = await loadClipModel(join(folder, "model"));
    await buildIndex(model, PICTURES, join(folder, "index"), { dtype: "float32", mlps: true });
    search = await openIndex(model, join(folder, "index"));
    pixels = (await goldenArray(`kinds/${kind}/pixels.npy`, 4)).data;
  });
  afterAll(async () => {
    await model?.release();
    rmSync(folder, { recursive: true });
  });

  it("is indexed, and a search gives what its decomposition gives", async () => {
    const { index } = search;
    expect(index.images.length).toBeGreaterThan(10);
    const set = parseComponents("L0.H1,L1*0.5,embed,L0.MLP*-1", model.geometry);
    const v = Float64Array.from({ length: model.config.embedDim }, (_, d) => Math.cos(3 * d));
    const rows = Array.from(index.images.keys());
    const found = await search.exactScores(v, set, rows);
    const probe = prepareProbe(model.geometry, v);
    const own = await decomposeImage(model, join(index.manifest.root, index.images[3].path));
    const [wanted] = scoreImages(model.geometry, probe, own, set);
    expect(Math.abs(found[3] - wanted)).toBeLessThan(2e-3 * Math.max(...found.map(Math.abs)));
    // Its own contribution scores an image as the squared length of it.
    const seen = imageProbe(model, own, parseComponents("L1.H0", model.geometry));
    const scores = await search.exactScores(seen, parseComponents("L1.H0", model.geometry), rows);
    const square = seen.reduce((sum, value) => sum + value * value, 0);
    expect(scores[3] / square).toBeCloseTo(1, 3);
  });

  it("a head's distance from its mean is that of its dense contributions", async () => {
    const set = parseComponents("L1.H0*0.5", model.geometry);
    const { embedDim } = model.config;
    const n = search.index.images.length;
    const dense = await search.contributions(set, [...search.index.images.keys()]);
    const { mean, lengths } = await search.centred(set);
    const middle = Float64Array.from(mean, (_, d) =>
      lengths.reduce((sum, _, row) => sum + dense[row * embedDim + d] / n, 0),
    );
    expect(relativeError(mean, middle)).toBeLessThan(1e-5);
    const wanted = lengths.map((_, row) =>
      Math.hypot(...middle.map((m, d) => dense[row * embedDim + d] - m)),
    );
    expect(relativeError(lengths, wanted)).toBeLessThan(1e-4);
  });

  it("every MLP term together is what the heads leave of the embedding", async () => {
    const rows = [0, 1, 2];
    const set = parseComponents("all,mlps", model.geometry);
    const v = Float64Array.from({ length: model.config.embedDim }, (_, d) => Math.sin(d));
    const found = await search.exactScores(v, set, rows);
    const embeddings = await search.index.embeddings();
    for (const row of rows) {
      const cosine = v.reduce((sum, value, d) => sum + value * embeddings[row * v.length + d], 0);
      expect(found[row]).toBeCloseTo(cosine, 5);
    }
  });

  it("a checkpoint without a head computes what a gate computes, and direct ablation is exported", async () => {
    const set = parseComponents("L0.H1", model.geometry);
    const rows = Array.from(search.index.images.keys()).slice(0, 8);
    const outputs = await meanOutputs(model, search.index, rows, [0]);
    const means = oneMean(model, outputs, "tokens");
    const target = join(folder, "edited");
    await exportCheckpoint(model, target, { set, means });
    const edited = await loadClipModel(target);
    const gate = await ablationGate(model, set, everywhere(model, means));
    const [gated, copy] = [await model.decompose(pixels, { gate }), await edited.decompose(pixels)];
    // The copy's biases are rounded to its file's type.
    expect(relativeError(copy.embedding, gated.embedding)).toBeLessThan(2e-3);
    await edited.release();
  });

  it("its exported encoder, with a head's direct effect replaced by the mean, is e/‖e‖ − head + mean", async () => {
    const set = parseComponents("L1.H1", model.geometry);
    const mean = await meanContribution(search.index, model.geometry, set);
    const path = join(folder, "encoder.onnx");
    await exportEncoder(model, path, { set, mean });
    const session = await InferenceSession.create(path);
    const { imageSize } = model.config.vision;
    const tensor = new Tensor("float32", pixels, [2, 3, imageSize, imageSize]);
    const found = (await session.run({ pixels: tensor })).embedding.data as Float32Array;
    await session.release();
    const parts = await model.decompose(pixels);
    const heads = await denseHeads(model.matmul, model.geometry, parts);
    const { layers, heads: count, embedDim } = model.geometry;
    const wanted = parts.embedding.map((value, at) => {
      const [image, d] = [Math.floor(at / embedDim), at % embedDim];
      const head = heads[((image * layers + 1) * count + 1) * embedDim + d];
      return value / parts.norm[image] - head + mean[d];
    });
    expect(relativeError(found, wanted)).toBeLessThan(1e-5);
  });

  if (tokenizer)
    it("explains, segments and describes with texts", async () => {
      const picture = join(PICTURES, search.index.images[0].path.split("/").at(-1) ?? "");
      const texts = ["a photo of a dog", "the rain"];
      const explained = await explainImage(model, picture, texts);
      for (const { similarity, sum } of explained.texts) expect(sum).toBeCloseTo(similarity, 5);
      const set = parseComponents("last1", model.geometry);
      const segmented = await segmentImage(model, picture, texts, { set });
      for (const { error } of segmented.texts) expect(error).toBeLessThan(1e-5);
      const some = ["a dog", "two cats", "snow", "an old man"].map((text) => ({ text, property: null }));
      const pool = { name: "some", hash: hashPool(some), texts: some };
      const options = { iterations: 2, cacheFolder: join(folder, "texts") };
      const described = await describeHeads(model, search.index, set, pool, options);
      expect(described.heads.map(({ descriptions }) => descriptions.length)).toEqual([2, 2]);
    });

  if (!tokenizer)
    it("says what it lacks where a text is asked for", async () => {
      const code = { code: expect.stringMatching(/TEXTS_UNSUPPORTED|INPUT_NOT_FOUND|TOKENIZER_INVALID/) };
      await expect(model.encodeTexts(["a dog"])).rejects.toMatchObject(code);
    });
});
