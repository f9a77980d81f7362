import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateMaps } from "../../src/analysis/segmentation/faithfulness.ts";
import { corpusMasks, type MaskedImages } from "../../src/analysis/segmentation/masked-images.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { pixelsOf } from "../../src/model/pixels.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import type { Faithfulness } from "../../src/results/faithfulness.ts";
import { faithfulnessHtml } from "../../src/views/faithfulness/page.ts";
import { faithfulnessTerminal } from "../../src/views/faithfulness/terminal.ts";
import { leadersInWords } from "../../src/views/faithfulness/words.ts";
import { repositoryPath } from "../e2e/cli.ts";

const models = createModelLoader();
let model: ClipModel;
let scenes: MaskedImages;
let result: Faithfulness;
beforeAll(async () => {
  model = await models.load("emoji-4x128-p8");
  const { classes, images, ...data } = await corpusMasks(repositoryPath("examples/scenes"));
  const texts = classes.map(({ name, texts: [, one] }) => ({ name, texts: [one] }));
  scenes = { ...data, classes: texts, images: images.slice(0, 3) };
  const sets = [{ name: "all", set: allHeads(model.geometry) }];
  result = await evaluateMaps(model, scenes, sets, { draws: 20, steps: 2, sanityImages: 2 });
});
afterAll(() => models.release());

const methodNamed = (name: string) => result.methods.find((method) => method.name === name)!;

describe("evaluateMaps", () => {
  it("measures every kind of map, each beside the first", () => {
    expect(result.methods.map(({ name }) => name)).toEqual([
      ...["all", "raw attention", "attention rollout", "patch–text cosine", "MaskCLIP"],
      ...["SCLIP", "ClearCLIP", "NACLIP", "GEM", "LeGrad", "Grad-ECLIP", "rollout from layer 1"],
      ...["all, patches shuffled", "nearness to the centre", "nothing (all background)"],
    ]);
    for (const { measures, difference } of result.methods) {
      for (const [name, { value, low, high }] of Object.entries(measures)) {
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        const first = result.methods[0].measures[name as keyof typeof measures];
        expect(difference[name as keyof typeof measures].value).toBeCloseTo(value - first.value, 12);
      }
    }
  });

  it("covers patches with the mean colour: the curves of nearness to the centre, computed again", async () => {
    const { embedDim } = model.config;
    const texts = await model.encodeTexts(scenes.classes.flatMap(({ texts }) => texts));
    const size = 64;
    const centre = (index: number) => Math.hypot(Math.floor(index / 8) - 3.5, (index % 8) - 3.5);
    const nearest = Array.from({ length: 64 }, (_, i) => i).sort((a, b) => centre(a) - centre(b) || a - b);
    const [insertion, deletion, whole, empty]: number[][] = [[], [], [], []];
    for (const { image, classOf } of scenes.images) {
      const { pixels } = await pixelsOf(model, image);
      const means = [0, 1, 2].map((channel) => {
        const plane = pixels.subarray(channel * size ** 2, (channel + 1) * size ** 2);
        return plane.reduce((sum, one) => sum + one, 0) / plane.length;
      });
      const probability = async (kept: ReadonlySet<number>) => {
        const shown = Float32Array.from(pixels, (value, at) => {
          const [channel, y, x] = [Math.floor(at / size ** 2), Math.floor(at / size) % size, at % size];
          return kept.has(Math.floor(y / 8) * 8 + Math.floor(x / 8)) ? value : means[channel];
        });
        const { embedding } = await model.decompose(shown);
        const logits = scenes.classes.map((_, c) => {
          const text = texts.subarray(c * embedDim, (c + 1) * embedDim);
          const product = text.reduce((sum, value, d) => sum + value * embedding[d], 0);
          return (model.logitScale * product) / Math.hypot(...text) / Math.hypot(...embedding);
        });
        const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
        return powers[classOf(1)!] / powers.reduce((a, b) => a + b);
      };
      const [none, all] = [await probability(new Set()), await probability(new Set(nearest))];
      const [inner, outer] = [nearest.slice(0, 32), nearest.slice(32)];
      insertion.push(none / 4 + (await probability(new Set(inner))) / 2 + all / 4);
      deletion.push(all / 4 + (await probability(new Set(outer))) / 2 + none / 4);
      whole.push(all);
      empty.push(none);
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(result.maps).toBe(3);
    const { measures } = methodNamed("nearness to the centre");
    expect(measures.insertion.value).toBeCloseTo(mean(insertion), 5);
    expect(measures.deletion.value).toBeCloseTo(mean(deletion), 5);
    expect(result.probability.whole).toBeCloseTo(mean(whole), 5);
    expect(result.probability.empty).toBeCloseTo(mean(empty), 5);
  });

  it("compares maps with those of networks whose layers are shuffled, and leaves no copy behind", async () => {
    expect(result.shuffled).toEqual(["L3", "L2", "L1", "L0"]);
    expect(result.sanityImages).toBe(2);
    expect(methodNamed("nearness to the centre").sanity!.map(({ value }) => value)).toEqual([1, 1, 1, 1]);
    expect(methodNamed("nothing (all background)").sanity!.map(({ value }) => value)).toEqual([0, 0, 0, 0]);
    // What earlier layers wrote is still there when the last one is shuffled; when all are, nothing is.
    const [last, , , all] = methodNamed("all").sanity!;
    expect(last.value).toBeGreaterThan(0.6);
    expect(Math.abs(all.value)).toBeLessThan(0.6);
    // The last layer's attention is gone with it.
    expect(methodNamed("raw attention").sanity![0].value).toBeLessThan(0.6);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith("clip-interpret-shuffled"))).toEqual(
      [],
    );
  });

  it("says who is first, on a page and in a terminal", () => {
    const [pointing] = leadersInWords(result);
    expect(pointing).toMatch(/^pointing: .+ is first/);
    const page = faithfulnessHtml(result);
    for (const { name } of result.methods) expect(page).toContain(name);
    expect(page).toContain("L3–L0 shuffled");
    const text = faithfulnessTerminal(result, { columns: 200 });
    expect(text).toContain(pointing);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(200);
  });
});
