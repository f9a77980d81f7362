/** Whole arrays against Pillow's: test/goldens/make/pictures.py made the files and what Pillow 12.1.1 makes of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { sha256Of } from "../support/hash.ts";
import { decodeImage } from "./decode.ts";
import { toRgb } from "./pixels.ts";
import { preprocess } from "./preprocess.ts";
import type { PreprocessConfig } from "./types.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/", import.meta.url));
const expected: {
  files: Record<string, { mode: string; size: [number, number]; rgb: string }>;
  squares: { file: string; config: Pick<PreprocessConfig, "size" | "resizeMode">; rgb: string }[];
} = JSON.parse(readFileSync(`${goldens}pictures/expected.json`, "utf8"));

describe("files are read as Pillow opens them", () => {
  it.each(Object.entries(expected.files))("%s", async (name, { mode, size, rgb }) => {
    const image = await decodeImage(`${goldens}pictures/${name}`, { exif: false });
    expect(image.mode).toBe(mode === "1" ? "P" : mode);
    expect([image.width, image.height]).toEqual(size);
    expect(sha256Of(toRgb(image.mode, image.data))).toBe(rgb);
  });

  it("photo.heic, as libheif shows it elsewhere", async () => {
    const image = await decodeImage(`${goldens}pictures/photo.heic`);
    const { data } = await sharp(`${goldens}pictures/photo-heic.png`)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const rgb = toRgb(image.mode, image.data);
    expect([image.width, image.height, rgb.length]).toEqual([64, 48, data.length]);
    // Releases of libheif differ by a level here and there.
    expect(Math.max(...rgb.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThanOrEqual(1);
  });
});

describe("what a model is shown", () => {
  const named = expected.squares.map((row) => ({ ...row, how: JSON.stringify(row.config) }));
  it.each(named)("of $file, $how", async ({ file, config, rgb }) => {
    const shown = await preprocess(goldens + file, {
      ...config,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    });
    expect(sha256Of(shown.rgb)).toBe(rgb);
  });
});
