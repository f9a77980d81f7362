import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findRegisters } from "../../src/analysis/registers/registers.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { allHeads } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { parseNeurons } from "../../src/model/notices.ts";
import type { RegistersResult } from "../../src/results/registers.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { goldenArray, goldenPath, MODELS } from "../support/goldens.ts";
import { plantOutliers } from "../support/plant-outliers.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";

const NEURONS = parseNeurons("L0.N5,L1.N3,L1.N40,L2.N7");

describe.each(MODELS)("a register in %s", (name) => {
  it("gives the embedding that PyTorch gives, and parts that sum to it", async () => {
    const model = await loadClipModel(goldenPath(`${name}/open_clip`), undefined, { registers: NEURONS });
    const { layers, tokens, grid } = model.config.vision;
    expect(tokens).toBe(grid ** 2 + 2);
    const pixels = await goldenArray(`${name}/pixels.npy`, 4);
    const golden = await goldenArray(`maps/${name}/registers.npy`, 2);
    const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
    const { embedding, error } = await model.decompose(pixels.data, { tokenLayers });
    const furthest = embedding.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - golden.data[i])),
      0,
    );
    expect(furthest).toBeLessThan(1e-5);
    expect(Math.max(...error)).toBeLessThan(1e-5);
    // It is not what the network computes without one.
    const plain = await goldenArray(`${name}/image_embedding.npy`, 2);
    expect(Math.abs(plain.data[0] - golden.data[0])).toBeGreaterThan(1e-3);
    await model.release();
  });
});

/** A random model in which one neuron makes the norm of few patches huge. */
describe("planted outliers", () => {
  const PLANTED = { layer: 1, neuron: 9 };
  let [folder, images] = ["", ""];
  let result: RegistersResult;
  const shape = {
    ...{ embedDim: 32, imageSize: 32, patchSize: 8, width: 32, layers: 4, headDim: 16 },
    text: { width: 16, heads: 1, layers: 1, vocabSize: 64 },
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "registers-"));
    images = join(folder, "images");
    await writeRandomCheckpoint(folder, shape);
    await mkdir(images);
    const raw = { width: 32, height: 32, channels: 3 } as const;
    for (const seed of [1, 2, 3]) {
      const rgb = Uint8Array.from(
        { length: 3 * 32 * 32 },
        (_, i) => (i * i * seed * 31 + seed * 77 + (i >> 3)) % 256,
      );
      await sharp(rgb, { raw })
        .png()
        .toFile(join(images, `${seed}.png`));
    }
    const paths = [1, 2, 3].map((seed) => join(images, `${seed}.png`));
    await plantOutliers(folder, PLANTED, paths, 4);
    const planted = await loadClipModel(folder);
    result = await findRegisters(planted, images, { neurons: 1 });
    await planted.release();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are found: which patches, from which layer on, and which neuron makes them", () => {
    expect(result.images).toBe(3);
    expect(result.norms.withOutliers).toBeGreaterThan(0);
    expect(result.norms.outliers).toBeLessThanOrEqual(2);
    expect(result.emerge).toBe("L1");
    const [, before, behind] = result.norms.layers;
    expect(before.outliers).toBeLessThan(3);
    expect(behind.outliers).toBeGreaterThan(3);
    expect(behind.most).toBeGreaterThan(5 * behind.median);
    expect(result.neurons.map(({ name }) => name)).toEqual(["L1.N9"]);
    expect(result.neurons[0].atOutliers).toBeGreaterThan(5 * result.neurons[0].elsewhere);
  });

  it("are gone when a register takes what the neuron writes", () => {
    const { norms, register, cosine, neurons } = result.moved!;
    expect(neurons).toEqual(["L1.N9"]);
    expect(norms.withOutliers).toBe(0);
    expect(norms.outliers).toBe(0);
    expect(norms.attention).toBe(0);
    const last = norms.layers.at(-1)!;
    expect(last.most).toBeLessThan(3 * last.median);
    expect(register).toBeGreaterThan(5 * last.median);
    expect(cosine).toBeLessThan(1);
    expect(cosine).toBeGreaterThan(0);
  });

  it("leave maps, which show no register and still add up with it; results say so", async () => {
    const model = await loadClipModel(folder, "planted", { registers: [PLANTED] });
    const set = allHeads(model.geometry);
    const probe = Float32Array.from({ length: 32 }, (_, d) => Math.sin(d));
    const asked = {
      ...model,
      encodeTexts: async () => probe,
      tokenizer: async () => ({ encode: () => ({ ids: [], truncated: false }) }),
    };
    const found = await segmentImage(asked as never, join(images, "1.png"), ["anything"], { set });
    expect(found.texts[0].values.flat()).toHaveLength(16);
    expect(found.texts[0].error).toBeLessThan(1e-5);
    expect(found.origin.model.notice).toContain("L1.N9");
    await model.release();
  });
});

it("finds none, and names no neuron, where norms are alike", async () => {
  const model = await loadClipModel(repositoryPath("models/emoji-4x128-p8"));
  const { norms, emerge, neurons, moved } = await findRegisters(
    model,
    repositoryPath("examples/scenes/images"),
    { limit: 2 },
  );
  expect(norms.layers.map(({ layer }) => layer)).toEqual(["embed", "L0", "L1", "L2", "L3"]);
  expect([norms.withOutliers, emerge, neurons, moved]).toEqual([0, null, [], null]);
  await model.release();
});

it("refuses neurons that are not there, that write behind the last layer, or that are no names", async () => {
  const load = (list: string) =>
    loadClipModel(goldenPath("gelu-p8/open_clip"), undefined, { registers: parseNeurons(list) });
  await expect(load("L4.N0")).rejects.toMatchObject({ code: "USAGE" });
  await expect(load("L0.N999999")).rejects.toMatchObject({ code: "USAGE" });
  expect(() => parseNeurons("L3.H1")).toThrow(/names no neuron/);
});
