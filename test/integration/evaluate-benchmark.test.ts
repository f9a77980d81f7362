import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runBenchmark } from "../../src/analysis/segmentation/benchmark.ts";
import { BENCHMARKS, benchmarkImages, benchmarkNamed } from "../../src/analysis/segmentation/benchmarks.ts";
import { UNLABELLED } from "../../src/analysis/segmentation/masked-images.ts";
import { resizeBilinear } from "../../src/analysis/segmentation/windows.ts";
import { upsample } from "../../src/math/bilinear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { normalizeAll } from "../../src/model/pixels.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { indexedPng } from "../support/indexed-png.ts";

const [WIDTH, HEIGHT] = [40, 30];
const models = createModelLoader();
let model: ClipModel;
let root: string;

/** A picture of two colours, and a mask with a border: `one` above, `two` below, 255 between. */
async function put(
  folder: string,
  image: string,
  mask: string,
  [one, two]: readonly number[],
): Promise<void> {
  const rgb = Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, (_, i) => (i * 97 + (i >> 5) * 31) % 256);
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
  const at = (path: string) => join(root, folder, path);
  for (const path of [image, mask]) await mkdir(dirname(at(path)), { recursive: true });
  const picture = sharp(rgb, { raw });
  await writeFile(at(image), await (image.endsWith("png") ? picture.png() : picture.jpeg()).toBuffer());
  const values = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const row = Math.floor(i / WIDTH);
    return row < 14 ? one : row < 16 ? 255 : two;
  });
  await writeFile(at(mask), indexedPng(WIDTH, HEIGHT, values));
}

const FOLDERS = {
  ...{ voc21: "VOC2012", voc20: "VOC2012", context60: "VOC2010", context59: "VOC2010" },
  ...{ object: "coco", stuff: "coco", city: "cityscapes", ade: "ADEChallengeData2016" },
} as const;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "benchmarks-"));
  model = await models.load("emoji-4x128-p8");
  for (const [folder, masks, list] of [
    ["VOC2012", "SegmentationClass", "Segmentation"],
    ["VOC2010", "SegmentationClassContext", "SegmentationContext"],
  ]) {
    for (const [name, numbers] of [
      ["2007_000033", [0, 12]],
      ["2007_000042", [8, 0]],
      ["2007_000061", [1, 2]],
    ] as const)
      await put(folder, `JPEGImages/${name}.jpg`, `${masks}/${name}.png`, numbers);
    await mkdir(join(root, folder, "ImageSets", list), { recursive: true });
    // The third is of the training part.
    await writeFile(join(root, folder, "ImageSets", list, "val.txt"), "2007_000042\n2007_000033\n");
  }
  for (const end of ["_instanceTrainIds.png", "_labelTrainIds.png"])
    await put("coco", "images/val2017/000000000139.jpg", `annotations/val2017/000000000139${end}`, [0, 80]);
  const [city, name] = ["frankfurt", "frankfurt_000000_000294"];
  await put(
    "cityscapes",
    `leftImg8bit/val/${city}/${name}_leftImg8bit.png`,
    `gtFine/val/${city}/${name}_gtFine_labelTrainIds.png`,
    [0, 18],
  );
  await put(
    "ADEChallengeData2016",
    "images/validation/ADE_val_00000001.jpg",
    "annotations/validation/ADE_val_00000001.png",
    [0, 150],
  );
});
afterAll(async () => {
  await models.release();
  await rm(root, { recursive: true, force: true });
});

describe("benchmarks", () => {
  it("have as many classes as their names say, without a name twice", () => {
    const counts = BENCHMARKS.map((name) => benchmarkNamed(name).classes.length);
    expect(counts).toEqual([21, 20, 60, 59, 81, 171, 19, 150]);
    for (const name of BENCHMARKS) {
      const { classes } = benchmarkNamed(name);
      expect(new Set(classes).size).toBe(classes.length);
    }
  });

  it("know what a mask's numbers are", () => {
    const named = (name: (typeof BENCHMARKS)[number], value: number) => {
      const { classes, classOf } = benchmarkNamed(name);
      const index = classOf(value);
      return index === undefined || index === UNLABELLED ? index : classes[index];
    };
    for (const name of BENCHMARKS) expect(named(name, 255)).toBe(UNLABELLED);
    expect([named("voc21", 0), named("voc21", 15), named("voc21", 21)]).toEqual([
      "background",
      "person",
      undefined,
    ]);
    expect([named("voc20", 0), named("voc20", 15)]).toEqual([UNLABELLED, "person"]);
    expect([named("context60", 0), named("context60", 59)]).toEqual(["background", "wood"]);
    expect([named("context59", 0), named("context59", 59)]).toEqual([UNLABELLED, "wood"]);
    expect([named("object", 0), named("object", 80)]).toEqual(["background", "toothbrush"]);
    expect([named("stuff", 0), named("stuff", 170)]).toEqual(["person", "wood"]);
    expect([named("city", 0), named("city", 18)]).toEqual(["road", "bicycle"]);
    expect([named("ade", 0), named("ade", 1), named("ade", 150)]).toEqual([UNLABELLED, "wall", "flag"]);
  });

  it.each(BENCHMARKS)("%s is read from its own folders", async (name) => {
    const images = await benchmarkImages(name, join(root, FOLDERS[name]));
    const listed = name.startsWith("voc") || name.startsWith("context");
    expect(images.length).toBe(listed ? 2 : 1);
    if (listed) expect(images.map((image) => image.name)).toEqual(["2007_000042", "2007_000033"]);
    const sets = [{ name: "all", set: allHeads(model.geometry) }];
    const result = await runBenchmark(model, name, join(root, FOLDERS[name]), sets, {
      ...{ templates: ["a {}"], limit: 1, draws: 10 },
    });
    expect(result.rejected).toEqual([]);
    expect(result.methods.map((method) => method.name)).toEqual([
      ...["all", "patch–text cosine", "MaskCLIP", "SCLIP", "ClearCLIP", "NACLIP", "GEM"],
    ]);
    expect(result.threshold).toBe(result.background ? 0.1 : null);
    for (const { meanIou, classes } of result.methods) {
      const known = classes.filter((iou) => iou !== null);
      expect(meanIou.value).toBeCloseTo(known.reduce((a, b) => a + b, 0) / known.length, 12);
    }
  });

  it("gives the mIoU that another route gives", async () => {
    const names = benchmarkNamed("voc21").classes;
    const folder = join(root, "VOC2012");
    const result = await runBenchmark(
      model,
      "voc21",
      folder,
      [{ name: "all", set: allHeads(model.geometry) }],
      {
        ...{ templates: ["a {}"], draws: 10, logitScale: 20, threshold: 0.05 },
      },
    );
    expect(result.window).toEqual({ size: 64, stride: 32, shortSide: 96 });
    const texts = await model.encodeTexts(
      names.map((name) => (/^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`)),
    );
    const [both, found, there] = [0, 1, 2].map(() => new Array<number>(21).fill(0));
    for (const [image, numbers] of [
      ["2007_000042", [8, 0]],
      ["2007_000033", [0, 12]],
    ] as const) {
      const rgb = await sharp(join(folder, "JPEGImages", `${image}.jpg`))
        .raw()
        .toBuffer();
      const [width, height] = [128, 96];
      const large = resizeBilinear(rgb, { width: WIDTH, height: HEIGHT }, { width, height });
      const sum = names.map(() => new Float64Array(width * height));
      const count = new Float64Array(width * height);
      for (const y of [0, 32])
        for (const x of [0, 32, 64]) {
          const cut = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => {
            const [row, column] = [Math.floor(i / 192), Math.floor((i % 192) / 3)];
            return large[3 * ((y + row) * width + x + column) + (i % 3)];
          });
          const { projected } = await model.readTokens(normalizeAll([{ rgb: cut }], model.config.preprocess));
          for (const [c, plane] of sum.entries()) {
            const text = texts.subarray(128 * c, 128 * (c + 1));
            const cosines = Array.from({ length: 64 }, (_, patch) => {
              const row = projected.subarray(128 * (patch + 1), 128 * (patch + 2));
              const product = row.reduce((total, value, d) => total + value * text[d], 0);
              return product / Math.hypot(...row) / Math.hypot(...text);
            });
            const whole = upsample({ rows: 8, columns: 8, values: cosines }, 64, 64);
            for (let i = 0; i < whole.length; i++)
              plane[(y + Math.floor(i / 64)) * width + x + (i % 64)] += whole[i];
          }
          for (let i = 0; i < 64 * 64; i++) count[(y + Math.floor(i / 64)) * width + x + (i % 64)]++;
        }
      const planes = sum.map((plane) =>
        upsample(
          { rows: height, columns: width, values: plane.map((value, i) => value / count[i]) },
          HEIGHT,
          WIDTH,
        ),
      );
      for (let i = 0; i < WIDTH * HEIGHT; i++) {
        const row = Math.floor(i / WIDTH);
        if (row === 14 || row === 15) continue;
        const truth = row < 14 ? numbers[0] : numbers[1];
        const powers = planes.map((plane) => Math.exp(20 * plane[i]));
        const most = Math.max(...powers);
        const probability = most / powers.reduce((a, b) => a + b);
        const label = probability < 0.05 ? 0 : powers.indexOf(most);
        there[truth]++;
        found[label]++;
        if (label === truth) both[truth]++;
      }
    }
    const ious = both.flatMap((n, c) => (found[c] + there[c] === 0 ? [] : n / (found[c] + there[c] - n)));
    const cosine = result.methods.find((method) => method.name === "patch–text cosine")!;
    expect(cosine.meanIou.value).toBeCloseTo(ious.reduce((a, b) => a + b) / ious.length, 6);
    const accuracy = both.reduce((a, b) => a + b) / there.reduce((a, b) => a + b);
    expect(cosine.pixelAccuracy.value).toBeCloseTo(accuracy, 6);
  });

  it("takes other names for classes, several each, and refuses another number of classes", async () => {
    const [folder, sets] = [join(root, "VOC2012"), [{ name: "all", set: allHeads(model.geometry) }]];
    const names = benchmarkNamed("voc20").classes.map((name) => [name, `${name} in a picture`]);
    const how = { templates: ["a {}"], draws: 10, limit: 1 };
    expect((await runBenchmark(model, "voc20", folder, sets, { ...how, names })).names).toBe(40);
    const short = runBenchmark(model, "voc20", folder, sets, { ...how, names: names.slice(1) });
    await expect(short).rejects.toMatchObject({ code: "USAGE" });
  });

  it("names an image that cannot be evaluated and goes on; a list leads nowhere else", async () => {
    const folder = join(root, "broken");
    const sets = [{ name: "all", set: allHeads(model.geometry) }];
    await put("broken", "JPEGImages/a.jpg", "SegmentationClass/a.png", [0, 1]);
    await put("broken", "JPEGImages/b.jpg", "SegmentationClass/b.png", [0, 77]);
    await put("broken", "JPEGImages/c.jpg", "elsewhere/c.png", [0, 1]);
    await mkdir(join(folder, "ImageSets/Segmentation"), { recursive: true });
    const list = join(folder, "ImageSets/Segmentation/val.txt");
    await writeFile(list, "a\nb\nc\n");
    const { images, rejected } = await runBenchmark(model, "voc21", folder, sets, {
      templates: ["a {}"],
      draws: 10,
    });
    expect(images).toBe(1);
    expect(rejected.map(({ code }) => code)).toEqual(["MASKS_INVALID", "INPUT_NOT_FOUND"]);
    await writeFile(list, "../../a\n");
    await expect(benchmarkImages("voc21", folder)).rejects.toMatchObject({ code: "MASKS_INVALID" });
  });
});
