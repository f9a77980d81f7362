import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateSegmentation, unitPictures } from "../../src/analysis/segmentation/evaluate.ts";
import {
  corpusMasks,
  loadClasses,
  type MaskedImages,
  pairMasks,
} from "../../src/analysis/segmentation/masked-images.ts";
import { preprocess } from "../../src/image/preprocess.ts";
import { normalize } from "../../src/image/show.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { denseTokens } from "../../src/model/dense.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { repositoryPath } from "../e2e/cli.ts";

const SCENES = repositoryPath("examples/scenes");
const SHARED = repositoryPath("../shared/data");
const models = createModelLoader();
let model: ClipModel;
beforeAll(async () => {
  model = await models.load("emoji-4x128-p8");
});
afterAll(() => models.release());

const everything = () => [{ name: "all", set: allHeads(model.geometry) }];

/** The example scenes, each class named by one text, which is quicker. */
async function scenes(): Promise<MaskedImages> {
  const { classes, ...data } = await corpusMasks(SCENES);
  return { ...data, classes: classes.map(({ name, texts }) => ({ name, texts: texts.slice(1, 2) })) };
}

interface Sums {
  correct: number;
  labelled: number;
  both: [number, number];
  either: [number, number];
  precisions: number[];
}

/**
 * The protocol written down a second time, as the reference implementation computes it: every class's whole heatmap
 * from dense token contributions, bilinear by its formula, masks by sharp, metrics by sets and sorting.
 */
async function secondRoute({ classes, images }: MaskedImages) {
  const size = 64;
  const text = await model.encodeTexts(classes.flatMap(({ texts }) => texts));
  let row = 0;
  const classifier = classes.map(({ texts }) => {
    const mean = new Array<number>(128).fill(0);
    for (const _ of texts) {
      const vector = [...text.subarray(row * 128, ++row * 128)];
      const length = Math.hypot(...vector);
      for (const [d, value] of vector.entries()) mean[d] += value / length / texts.length;
    }
    const length = Math.hypot(...mean);
    return mean.map((value) => value / length);
  });
  const sums: Record<"predicted" | "true", Sums> = {
    predicted: { correct: 0, labelled: 0, both: [0, 0], either: [0, 0], precisions: [] },
    true: { correct: 0, labelled: 0, both: [0, 0], either: [0, 0], precisions: [] },
  };
  for (const { image, mask, classOf } of images) {
    const shown = await preprocess(image, model.config.preprocess);
    const pixels = new Float32Array(shown.rgb.length);
    normalize(shown.rgb, model.config.preprocess, pixels);
    const parts = await model.decompose(pixels, { tokenLayers: [0, 1, 2, 3] });
    // [64 patches, D], summed over layers and heads, without the CLS token.
    const collapsed = Array.from({ length: 64 }, () => new Array<number>(128).fill(0));
    for (let layer = 0; layer < 4; layer++) {
      const dense = await denseTokens(model.matmul, model.geometry, parts, layer, 0);
      for (let at = 4 * 128; at < dense.length; at++) {
        collapsed[Math.floor(at / (4 * 128)) - 1][at % 128] += dense[at];
      }
    }
    const dot = (a: ArrayLike<number>, b: number[]) => b.reduce((sum, value, d) => sum + value * a[d], 0);
    const heatmap = collapsed.map((patch) => classifier.map((direction) => dot(patch, direction)));
    const similarities = classifier.map((direction) => dot(parts.embedding, direction));
    const chosen = similarities.indexOf(Math.max(...similarities));
    const truth = await maskBySharp(mask, shown.placement, size, classOf);
    const counts = new Map<number, number>();
    for (const value of truth) if (value >= 0) counts.set(value, (counts.get(value) ?? 0) + 1);
    const labelled = truth.filter((value) => value !== -2).length;
    const present = [...counts].filter(([, count]) => count >= 0.01 * labelled);
    const main = present.reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
    const mapOf = (index: number) => {
      const patches = heatmap.map(
        (values) => values[index] - values.reduce((a, b) => a + b, 0) / values.length,
      );
      const large = Array.from({ length: size * size }, (_, i) =>
        Math.max(0, interpolated(patches, 8, Math.floor(i / size), i % size, 8)),
      );
      const [low, high] = [Math.min(...large), Math.max(...large)];
      return large.map((value) => (value - low) / (high - low));
    };
    add(sums.predicted, mapOf(chosen), truth, main);
    for (const [index] of present) add(sums.true, mapOf(index), truth, index);
  }
  const finish = ({ correct, labelled, both, either, precisions }: Sums) => ({
    pixelAccuracy: correct / labelled,
    meanIou: (both[0] / either[0] + both[1] / either[1]) / 2,
    meanPrecision: precisions.reduce((a, b) => a + b, 0) / precisions.length,
  });
  return { predicted: finish(sums.predicted), true: finish(sums.true) };
}

/** PyTorch's bilinear formula for one output pixel, align_corners=False. */
function interpolated(values: number[], side: number, y: number, x: number, scale: number): number {
  const [sy, sx] = [y, x].map((position) => Math.max(0, (position + 0.5) / scale - 0.5));
  const [y0, x0] = [Math.floor(sy), Math.floor(sx)];
  const [y1, x1] = [Math.min(side - 1, y0 + 1), Math.min(side - 1, x0 + 1)];
  const [fy, fx] = [sy - y0, sx - x0];
  const at = (row: number, column: number) => values[row * side + column];
  return (
    (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1))
  );
}

/** The mask's classes at the middles of the pixels that the model sees. */
async function maskBySharp(
  path: string,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  size: number,
  classOf: (value: number) => number | undefined,
): Promise<number[]> {
  const { data, info } = await sharp(path).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  return Array.from({ length: size * size }, (_, i) => {
    const row = Math.floor(y + ((Math.floor(i / size) + 0.5) * height) / size);
    const column = Math.floor(x + (((i % size) + 0.5) * width) / size);
    return classOf(data[(row * info.width + column) * info.channels])!;
  });
}

function add(sums: Sums, map: number[], truth: number[], index: number): void {
  const mean = map.reduce((a, b) => a + b, 0) / map.length;
  const statements: [score: number, isTrue: boolean][] = [];
  for (const [i, value] of map.entries()) {
    if (truth[i] === -2) continue;
    const [inMap, inMask] = [value > mean, truth[i] === index];
    sums.labelled++;
    if (inMap === inMask) sums.correct++;
    if (inMap && inMask) sums.both[1]++;
    if (inMap || inMask) sums.either[1]++;
    if (!inMap && !inMask) sums.both[0]++;
    if (!inMap || !inMask) sums.either[0]++;
    statements.push([value, inMask], [1 - value, !inMask]);
  }
  statements.sort((a, b) => b[0] - a[0]);
  const all = statements.filter(([, isTrue]) => isTrue).length;
  let [precision, hits, before] = [0, 0, 0];
  for (let i = 0; i < statements.length; i++) {
    if (statements[i][1]) hits++;
    if (i + 1 < statements.length && statements[i + 1][0] === statements[i][0]) continue;
    precision += ((hits - before) / all) * (hits / (i + 1));
    before = hits;
  }
  sums.precisions.push(precision);
}

describe("evaluateSegmentation", () => {
  it("gives the numbers that another route gives, on scenes of the world", async () => {
    const all = await corpusMasks(SCENES);
    // The last ones show two concepts each.
    const data = { ...all, images: [...all.images.slice(0, 3), ...all.images.slice(9, 11)] };
    const { result: found } = await evaluateSegmentation(model, data, everything(), { draws: 10 });
    expect(found.asked).toEqual({ predicted: 5, true: 6 });
    expectClose(found.methods[0].measures, await secondRoute(data));
  });

  it.skipIf(!existsSync(join(SHARED, "masks")))(
    "and on photographs with class-index masks, pixels without a class left out",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "photos-"));
      for (const name of ["coco-000000000030", "coco-000000000073", "coco-000000000089", "coco-000000001000"])
        await symlink(join(SHARED, "photos/github", `${name}.jpg`), join(folder, `${name}.jpg`));
      const list = await loadClasses(join(SHARED, "masks/classes.yaml"));
      const data = await pairMasks(folder, join(SHARED, "masks"), list, ["{}", "a {}"]);
      expect(data.images.map(({ name }) => name)).toHaveLength(4);
      expect(data.unmatched).toHaveLength(49);
      const { result: found } = await evaluateSegmentation(model, data, everything(), { draws: 10 });
      expectClose(found.methods[0].measures, await secondRoute(data));
      expect(found.leftOut).toBeGreaterThan(0);
      await rm(folder, { recursive: true });
    },
  );

  it("finds drawn things better than any method that does not look, and says by how much", async () => {
    const data = await scenes();
    const seen: number[] = [];
    const { result: found } = await evaluateSegmentation(model, data, everything(), {
      draws: 200,
      report: (event) => event.type === "advance" && seen.push(event.done),
    });
    expect(found).toMatchObject({ images: 24, size: 64, classes: 250, rejected: [] });
    expect(found.asked.true).toBeGreaterThan(24);
    expect(seen.at(-1)).toBe(24);
    const named = new Map(found.methods.map((method) => [method.name, method]));
    for (const blind of ["all, patches shuffled", "nearness to the centre", "nothing (all background)"]) {
      const { difference } = named.get(blind)!;
      for (const protocol of ["predicted", "true"] as const) {
        expect(difference[protocol].meanIou.high).toBeLessThan(0);
        expect(difference[protocol].meanPrecision.high).toBeLessThan(0);
      }
    }
  });

  it("is the same every time, and for an image whatever stands beside it", async () => {
    const data = await scenes();
    const of = (from: number, to: number) =>
      evaluateSegmentation(model, { ...data, images: data.images.slice(from, to) }, everything(), {
        draws: 20,
      });
    const [four, again, one] = [await of(0, 4), await of(0, 4), await of(2, 3)];
    expect(again).toEqual(four);
    const [unit] = one.units;
    const beside = four.units.find(
      ({ image, name }) => image.name === unit.image.name && name === unit.name,
    )!;
    expect(beside.score).toEqual(unit.score);
  });

  it("draws the answers it was asked to: picture, mask and map of the same class", async () => {
    const data = await scenes();
    const few = { ...data, images: data.images.slice(0, 3) };
    const { units } = await evaluateSegmentation(model, few, everything(), { draws: 10 });
    const [best] = await unitPictures(model, few, units.slice(0, 1), everything()[0]);
    const [inside, outside] = [1, 0].map((kind) => {
      const values = [...best.relevance].filter((_, i) => best.mask[i] === kind);
      return values.reduce((a, b) => a + b, 0) / values.length;
    });
    expect(inside).toBeGreaterThan(outside);
  });

  it("rejects what does not fit, one image at a time, and goes on", async () => {
    const data = await scenes();
    const [first, second, third] = data.images;
    const wrong = { ...first, classOf: (value: number) => (value === 0 ? -1 : undefined) };
    const swapped = { ...second, mask: repositoryPath("assets/../examples/scenes/overview.png") };
    const { result: found } = await evaluateSegmentation(
      model,
      { ...data, images: [wrong, swapped, third] },
      everything(),
      {
        draws: 10,
      },
    );
    expect(found.images).toBe(1);
    expect(found.rejected.map(({ code }) => code)).toEqual(["MASKS_INVALID", "MASKS_INVALID"]);
    expect(found.rejected[0].path).toBe(first.image);
    await expect(
      evaluateSegmentation(model, { ...data, images: [wrong] }, everything(), { draws: 10 }),
    ).rejects.toMatchObject({ code: "MASKS_INVALID" });
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    stop.abort();
    const data = await scenes();
    await expect(
      evaluateSegmentation(model, data, everything(), { signal: stop.signal }),
    ).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

type Plain = Record<"pixelAccuracy" | "meanIou" | "meanPrecision", number>;

function expectClose(
  measured: Record<"predicted" | "true", Record<keyof Plain, { value: number }>>,
  expected: Record<"predicted" | "true", Plain>,
): void {
  for (const protocol of ["predicted", "true"] as const) {
    for (const metric of ["pixelAccuracy", "meanIou", "meanPrecision"] as const) {
      expect(measured[protocol][metric].value, `${protocol} ${metric}`).toBeCloseTo(
        expected[protocol][metric],
        5,
      );
    }
  }
}

describe("corpusMasks", () => {
  it("gives every object of every scene its concept", async () => {
    const { images, classes } = await corpusMasks(SCENES);
    const peach = images.find(({ name }) => basename(name).includes("0051-peach"))!;
    const named = [1, 2].map((value) => classes[peach.classOf(value)!].name);
    expect(named).toEqual(["peach", "crab"]);
    expect(peach.classOf(0)).toBe(-1);
  });
});
