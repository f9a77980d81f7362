import { readFileSync } from "node:fs";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { hashIndex } from "../../src/corpus/hash-index.ts";
import { meanContribution } from "../../src/corpus/means.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { type ComponentSet, parseComponents } from "../../src/model/components.ts";
import type { Decomposition } from "../../src/model/decomposition.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { exportEncoder } from "../../src/model/export-encoder.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { imageProbe } from "../../src/model/probe.ts";
import { locateModel } from "../../src/model/registry.ts";
import { InferenceSession, Tensor } from "../../src/onnx/runtime.ts";
import { goldenPath } from "../support/goldens.ts";

/*
 * What a CLIP user does with the file: loads it with plain ONNX Runtime and gives it pixels. It must be what the
 * kernel says.
 */

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "export-"));
});
afterAll(() => rm(scratch, { recursive: true }));

const MODELS = [
  ["GELU, float32, OpenCLIP", goldenPath("gelu-p8/open_clip"), "L0.H1,L1.H0*0.5"],
  ["QuickGELU, transformers", goldenPath("quickgelu-p14/transformers"), "L1.H2,L0.H0*-1.5"],
  [".bin", goldenPath("gelu-p8/open_clip_bin"), "all"],
  ["float16, embedded", undefined, "L3.H1,L2,L0.H3"],
] as const;

async function load(folder: string | undefined): Promise<ClipModel> {
  return folder
    ? loadClipModel(folder)
    : loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
}

const pixelsFor = (model: ClipModel, count: number) =>
  Float32Array.from({ length: count * 3 * model.config.preprocess.size ** 2 }, (_, i) => Math.sin(i * i) * 2);

/** Loads a file afresh, with no option of ours, and runs it. */
async function run(file: string, pixels: Float32Array, size: number): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const dims = [pixels.length / (3 * size * size), 3, size, size];
  const { embedding } = await session.run({ pixels: new Tensor("float32", pixels, dims) });
  await session.release();
  return embedding.data as Float32Array;
}

/** e/‖e‖ − Σ w·head + mean of every image, in float64 by the kernel's arithmetic. */
function expected(
  { geometry }: ClipModel,
  parts: Decomposition,
  set: ComponentSet,
  mean: Float64Array,
): Float64Array {
  const { embedDim } = geometry;
  const whole = Float64Array.from(
    parts.embedding,
    (value, i) => value / parts.norm[Math.floor(i / embedDim)] + mean[i % embedDim],
  );
  for (let image = 0; image < parts.count; image++) {
    const written = imageProbe({ geometry }, parts, set, image);
    for (let d = 0; d < embedDim; d++) whole[image * embedDim + d] -= written[d];
  }
  return whole;
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe.each(MODELS)("the exported encoder of %s", (name, folder, heads) => {
  let model: ClipModel;
  let set: ComponentSet;
  let mean: Float64Array;
  let file: string;
  beforeAll(async () => {
    model = await load(folder);
    set = parseComponents(heads, model.geometry);
    mean = Float64Array.from({ length: model.config.embedDim }, (_, d) => Math.cos(d) / 10);
    file = join(scratch, name.replaceAll(/\W/g, "-"), "encoder.onnx");
    await exportEncoder(model, file, { set, mean, calibration: { index: "abc", images: 7 } });
  });
  afterAll(() => model.release());

  it("gives the embedding less the heads' deviations, for any batch", async () => {
    const { size } = model.config.preprocess;
    for (const count of [1, 3, 5]) {
      const pixels = pixelsFor(model, count);
      const found = await run(file, pixels, size);
      const wanted = expected(model, await model.decompose(pixels), set, mean);
      expect(found).toHaveLength(wanted.length);
      expect(largestDifference(found, wanted)).toBeLessThan(1e-5);
    }
  });

  it("is made of standard operators, holds its weights and says what it is", async () => {
    const text = readFileSync(file).toString("latin1");
    expect(text).not.toContain("com.microsoft");
    expect(await readdir(join(file, ".."))).toEqual(["encoder.onnx"]);
    for (const part of ["ablated_heads", "weights_sha256", await model.weightsHash(), "image_mean", "abc"])
      expect(text).toContain(part);
  });

  it("is the plain encoder when nothing is left out", async () => {
    const plain = join(scratch, "plain.onnx");
    const { metadata } = await exportEncoder(model, plain);
    expect(metadata.ablation).toBe("none");
    const pixels = pixelsFor(model, 2);
    const found = await run(plain, pixels, model.config.preprocess.size);
    const nothing = { heads: [], mlps: [] };
    const zero = new Float64Array(model.config.embedDim);
    const wanted = expected(model, await model.decompose(pixels), nothing, zero);
    expect(largestDifference(found, wanted)).toBeLessThan(1e-5);
  });

  it("may keep its weights in a file beside it, and is the same wherever both lie", async () => {
    const first = join(scratch, "beside", "encoder.onnx");
    const { files } = await exportEncoder(model, first, { set, mean, weights: "beside" });
    expect(files).toEqual([first, `${first}.data`]);
    await cp(join(scratch, "beside"), join(scratch, "elsewhere"), { recursive: true });
    const pixels = pixelsFor(model, 2);
    const { size } = model.config.preprocess;
    expect(await run(join(scratch, "elsewhere", "encoder.onnx"), pixels, size)).toEqual(
      await run(file, pixels, size),
    );
  });
});

describe("mean-ablation over an index", () => {
  it("puts in what the heads wrote on average over an index", async () => {
    const model = await load(undefined);
    const scenes = await scanSource(fileURLToPath(new URL("../../examples/scenes", import.meta.url)));
    await buildIndex(model, scenes, join(scratch, "index"), { dtype: "float32" });
    const index = await readIndex(join(scratch, "index"));
    const indices = index.images.map((_, i) => i);
    const set = parseComponents("L2,L3.H0*0.25", model.geometry);
    const mean = await meanContribution(index, model.geometry, set);
    // By hand, from the z of every image.
    const blocks = await Promise.all(
      set.heads.map(async ({ layer, head }) => [await index.head(layer, head), layer, head] as const),
    );

    const scalars = await index.scalars();
    const { headDim, embedDim, heads, terms, M, k, s, b } = model.geometry;
    const wanted = new Float64Array(embedDim);
    for (const [i, [z, layer, head]] of blocks.entries()) {
      for (let image = 0; image < indices.length; image++) {
        const [mu, sigma, norm] = scalars.subarray(image * 3, image * 3 + 3);
        for (let d = 0; d < embedDim; d++) {
          let sum = (k[layer * embedDim + d] - (mu * s[d]) / terms) / heads;
          for (let j = 0; j < headDim; j++) {
            sum += z[image * headDim + j] * M[((layer * heads + head) * headDim + j) * embedDim + d];
          }
          const written = (sum / sigma + b[d] / (terms * heads)) / norm;
          wanted[d] += (set.heads[i].weight * written) / indices.length;
        }
      }
    }
    expect(largestDifference(mean, wanted)).toBeLessThan(1e-6);
    // Halves of the images, each by itself.
    const halves = [indices.filter((i) => i % 2 === 0), indices.filter((i) => i % 2 === 1)];
    const [even, odd] = await Promise.all(
      halves.map((rows) => meanContribution(index, model.geometry, set, rows)),
    );
    expect(largestDifference(even, odd)).toBeGreaterThan(1e-3);
    expect(
      largestDifference(
        even.map((value, d) => (value + odd[d]) / 2),
        wanted,
      ),
    ).toBeLessThan(1e-6);
    const other = { ...index, images: index.images.slice(1) };
    expect(hashIndex(index)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashIndex(other)).not.toBe(hashIndex(index));
    // What is known of an image decides results as its bytes do; where the index lies, and its shards, do not.
    const labelled = { ...index, images: index.images.map((image) => ({ ...image, label: "x" })) };
    expect(hashIndex(labelled)).not.toBe(hashIndex(index));
    const { manifest } = index;
    expect(hashIndex({ ...index, manifest: { ...manifest, dtype: "float64" as never } })).not.toBe(
      hashIndex(index),
    );
    const elsewhere = { ...manifest, root: "/elsewhere", shards: [] };
    expect(hashIndex({ ...index, manifest: elsewhere })).toBe(hashIndex(index));
    await model.release();
  });

  it("has no mean of MLP terms", async () => {
    const model = await load(undefined);
    const set = parseComponents("mlps", model.geometry);
    await expect(exportEncoder(model, join(scratch, "no.onnx"), { set })).rejects.toMatchObject({
      code: "HEADS_INVALID",
    });
    await model.release();
  });
});
