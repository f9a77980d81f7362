import { afterAll, describe, expect, it } from "vitest";
import { baselineMaps } from "../../src/analysis/segmentation/baselines.ts";
import { upsample } from "../../src/math/bilinear.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { unitProbe } from "../../src/model/probe.ts";
import { goldenArray, goldenPath, MODELS } from "../support/goldens.ts";

const models = createModelLoader();
afterAll(() => models.release());

const furthest = (values: readonly number[], expected: Float32Array): number =>
  values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);

describe.each(MODELS)("maps of %s", (name) => {
  const maps = async () => {
    const model = await models.load(goldenPath(`${name}/open_clip`));
    const { shape, data } = await goldenArray(`${name}/pixels.npy`, 4);
    const texts = await goldenArray(`${name}/text_embedding.npy`, 2);
    const [count, D] = [texts.shape[0], texts.shape[1]];
    const probes = Array.from({ length: count }, (_, t) => unitProbe(texts.data.subarray(t * D, (t + 1) * D)));
    const each = data.length / shape[0];
    const all = [];
    for (let image = 0; image < shape[0]; image++)
      all.push(await baselineMaps(model, data.subarray(image * each, (image + 1) * each), probes));
    return { all, grid: model.config.vision.grid, size: shape[3] };
  };
  const found = maps();

  it.each(["sclip", "clearclip", "naclip", "gem", "grad-eclip"])("%s equals its authors' formula", async (method) => {
    const { all } = await found;
    const golden = await goldenArray(`maps/${name}/${method}.npy`, 3);
    const values = all.flatMap((image) =>
      image.filter((map) => map.name === method).flatMap((map) => [...map.values]),
    );
    expect(values.length).toBe(golden.data.length);
    const scale = golden.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(furthest(values, golden.data)).toBeLessThan(1e-5 * Math.min(1, scale));
  });

  it("legrad equals its authors' package, pixel by pixel", async () => {
    const { all, grid, size } = await found;
    const golden = await goldenArray(`maps/${name}/legrad.npy`, 4);
    const values = all.flatMap((image) =>
      image
        .filter(({ name: method, text }) => method === "legrad" && text! < golden.shape[1])
        .flatMap(({ values: patches }) => {
          const whole = upsample({ rows: grid, columns: grid, values: patches }, size, size);
          const [low, high] = [Math.min(...whole), Math.max(...whole)];
          return Array.from(whole, (value) => (value - low) / (high - low));
        }),
    );
    expect(values.length).toBe(golden.data.length);
    expect(furthest(values, golden.data)).toBeLessThan(1e-5);
  });
});
