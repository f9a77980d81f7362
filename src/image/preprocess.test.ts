import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { preprocess } from "./preprocess.ts";
import { normalize, resizeWindow } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";

interface Golden {
  readonly file: string;
  readonly size: readonly [number, number];
}

const folder = fileURLToPath(new URL("../../test/goldens/preprocess/", import.meta.url));
const goldens: Golden[] = JSON.parse(readFileSync(`${folder}cases.json`, "utf8"));
const config: PreprocessConfig = {
  size: 224,
  resizeMode: "shortest",
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** The largest and the mean difference, in levels. */
function difference(a: Uint8Array, b: Uint8Array): { max: number; mean: number } {
  expect(a.length).toBe(b.length);
  let [max, sum] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    max = Math.max(max, distance);
    sum += distance;
  }
  return { max, mean: sum / a.length };
}

describe("preprocess", () => {
  it.each(goldens)(
    "shows the model of $file what the reference shows",
    async ({ file, size: [width, height] }) => {
      const result = await preprocess(folder + file, config, { exif: false });
      const expected = await sharp(folder + file.replace(/\.\w+$/, ".expected-224.png"))
        .raw()
        .toBuffer();
      const { max, mean } = difference(result.rgb, expected);
      // Lossless sources must match bit for bit. JPEG decoders may round differently (ours agreed when this was
      // written; a sharp built with another libjpeg need not).
      expect(max).toBeLessThanOrEqual(file.endsWith(".jpg") ? 3 : 0);
      expect(mean).toBeLessThanOrEqual(file.endsWith(".jpg") ? 0.1 : 0);
      expect([result.width, result.height]).toEqual([width, height]);
    },
  );

  it("turns images upright by default", async () => {
    const upright = await preprocess(`${folder}exif-6.jpg`, config);
    const turned = await sharp(`${folder}exif-6.expected-224.png`).rotate(90).raw().toBuffer();
    expect([upright.width, upright.height]).toEqual([263, 401]);
    expect(upright.placement).toEqual({ x: 0, y: 58 * (401 / 341), width: 263, height: 224 * (401 / 341) });
    // The turned photo, resized the other way round: crops differ by half a pixel, not by a quarter turn.
    expect(difference(upright.rgb, turned).mean).toBeLessThan(8);
    const ignored = await preprocess(`${folder}exif-6.jpg`, config, { exif: false });
    expect(difference(upright.rgb, ignored.rgb).mean).toBeGreaterThan(20);
  });

  it("says which part of the original is shown", async () => {
    const tall = await preprocess(`${folder}tall.png`, config);
    const [scale, top] = [390 / 582, 179];
    expect(tall.placement).toEqual({ x: 0, y: top * scale, width: 150, height: 224 * scale });
    const squashed = await preprocess(`${folder}tall.png`, { ...config, resizeMode: "squash" });
    expect(squashed.placement).toEqual({ x: 0, y: 0, width: 150, height: 390 });
  });

  it("fingerprints the file", async () => {
    const { bytes, sha256 } = await preprocess(`${folder}tiny.png`, config);
    expect(bytes).toBe(1352);
    expect(sha256).toMatch(/^[\da-f]{64}$/);
    expect(await preprocess(readFileSync(`${folder}tiny.png`), config)).toMatchObject({ bytes, sha256 });
  });

  it("converts CMYK after resizing, as Pillow does", async () => {
    const inks = Uint8Array.from({ length: 4 * 16 }, (_, i) => [10, 128, 250, 60][i % 4]!);
    const cmyk = sharp(inks, { raw: { width: 4, height: 4, channels: 4 } });
    const tiff = await cmyk.pipelineColourspace("cmyk").toColourspace("cmyk").tiff().toBuffer();
    const { data } = await sharp(tiff, { ignoreIcc: true })
      .pipelineColourspace("cmyk")
      .toColourspace("cmyk")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const [c, m, y, k] = [...data] as [number, number, number, number];
    const { rgb } = await preprocess(tiff, { ...config, size: 2 });
    expect([...rgb.subarray(0, 3)]).toEqual(
      [c, m, y].map((ink) => 255 - k - Math.round((ink * (255 - k)) / 255)),
    );
  });
});

describe("resizeWindow", () => {
  const of = (width: number, height: number, size = 224) =>
    resizeWindow(width, height, { size, resizeMode: "shortest" });

  it("rounds the longer side down and halves to the even offset, as torchvision does", () => {
    expect(of(640, 480)).toMatchObject({ width: 298, height: 224, left: 37, top: 0 });
    expect(of(480, 640)).toMatchObject({ width: 224, height: 298, left: 0, top: 37 });
    // Offsets of 0.5, 1.5 and 2.5 become 0, 2 and 2 in Python.
    expect([11, 13, 15].map((width) => of(width, 10, 10).left)).toEqual([0, 2, 2]);
  });
});

describe("normalize", () => {
  it("writes planes at the offset, in float32 steps", () => {
    const target = new Float32Array(7);
    normalize(Uint8Array.from([0, 128, 255, 255, 0, 1]), config, target, 1);
    // Computed with torchvision's order of operations in float32.
    const step = (x: number, c: number) =>
      Math.fround(
        Math.fround(Math.fround(x / 255) - Math.fround(config.mean[c]!)) / Math.fround(config.std[c]!),
      );
    expect([...target]).toEqual([
      0,
      step(0, 0),
      step(255, 0),
      step(128, 1),
      step(0, 1),
      step(255, 2),
      step(1, 2),
    ]);
    expect(target[1]).toBeCloseTo(-1.7922626, 6);
    expect(target[2]).toBeCloseTo(1.9303361, 6);
  });
});
