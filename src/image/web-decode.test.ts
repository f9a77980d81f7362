import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { disk } from "../support/disk-bytes.ts";
import { decodeImage } from "./decode.ts";
import { toRgb } from "./pixels.ts";
import { preprocess } from "./preprocess.ts";
import { decodeInBrowser, preprocessIn } from "./web-decode.ts";

/*
 * What a browser is given to decode by our own code is, bit for bit, what sharp and libvips make of it in Node.
 */

const goldens = fileURLToPath(new URL("../../test/goldens/", import.meta.url));
const files = ["pictures", "preprocess"].flatMap((folder) =>
  readdirSync(`${goldens}${folder}`).flatMap((name) =>
    /\.(png|gif|bmp|p[bgp]m)$/.test(name) ? [`${folder}/${name}`] : [],
  ),
);

describe("lossless files of the goldens", () => {
  it.each(files)("%s", async (name) => {
    const file = readFileSync(goldens + name);
    const [ours, node] = [await decodeInBrowser(file, {}), await decodeImage(file)];
    expect([ours.mode, ours.width, ours.height]).toEqual([node.mode, node.width, node.height]);
    expect(Buffer.compare(ours.data, node.data)).toBe(0);
  });
});

describe("every kind of PNG", () => {
  const [width, height] = [13, 11];
  /** Gradients, some noise, and transparency. */
  const pixels = (channels: number) =>
    Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + ((i * i) >> 3)) % 256);
  const drawn = (channels: 1 | 2 | 3 | 4, deep = false) => {
    const raw = { width, height, channels };
    if (!deep) return sharp(pixels(channels), { raw });
    const samples = Uint16Array.from(pixels(channels), (value, i) => value * 256 + ((i * 91) % 256));
    return sharp(samples, { raw }).toColourspace(channels < 3 ? "grey16" : "rgb16");
  };
  const PNGS = {
    gray: () => drawn(1).toColourspace("b-w").png(),
    "gray with alpha": () => drawn(2).toColourspace("b-w").png(),
    colours: () => drawn(3).png(),
    transparent: () => drawn(4).png(),
    interlaced: () => drawn(3).png({ progressive: true }),
    "interlaced with alpha": () => drawn(4).png({ progressive: true }),
    "of a palette": () => drawn(3).png({ palette: true, colours: 7 }),
    "of two colours": () => drawn(3).png({ palette: true, colours: 2 }),
    "an interlaced palette": () => drawn(3).png({ palette: true, colours: 16, progressive: true }),
    "16 bits": () => drawn(3, true).png(),
    "16 bits with alpha": () => drawn(4, true).png(),
    "16 bits of gray": () => drawn(1, true).png(),
    "without filters": () => drawn(3).png({ adaptiveFiltering: false, compressionLevel: 0 }),
    "with filters": () => drawn(4).png({ adaptiveFiltering: true }),
    ...Object.fromEntries(
      [2, 3, 4, 5, 6, 7, 8].map((orientation) => [
        `turned ${orientation}`,
        () => drawn(3).withMetadata({ orientation }).png(),
      ]),
    ),
  };
  it.each(Object.entries(PNGS))("%s", async (_, make) => {
    const file = await make().toBuffer();
    for (const exif of [true, false]) {
      const [ours, node] = [await decodeInBrowser(file, { exif }), await decodeImage(file, { exif })];
      expect([ours.width, ours.height, ours.dark]).toEqual([node.width, node.height, node.dark]);
      const [seen, wanted] = [ours, node].map(({ mode, data }) =>
        mode === "RGBA" ? data : toRgb(mode, data),
      );
      expect(Buffer.compare(seen!, wanted!)).toBe(0);
    }
  });
});

describe("what is wrong with a picture has the code that it has in Node", () => {
  const scene = readFileSync(`${goldens}pictures/pole.png`);
  const at = (index: number, value: number) => {
    const file = Buffer.from(scene);
    file[index] = value;
    return file;
  };
  it.each([
    ["cut off", scene.subarray(0, scene.length - 30), {}],
    ["empty", Buffer.alloc(0), {}],
    ["no picture", Buffer.from("hello, world, this is none"), {}],
    ["of a depth that there is not", at(24, 7), {}],
    ["too large", scene, { maxPixels: 10 }],
    ["of more rows than it holds", at(23, scene[23]! + 1), {}],
  ])("%s", async (_, file, options) => {
    const code = await decodeImage(file, options).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    expect(code).toBeDefined();
    await expect(decodeInBrowser(file, options)).rejects.toMatchObject({ code });
  });

  it("a format that browsers do not have is named", async () => {
    const heic = readFileSync(`${goldens}pictures/photo.heic`);
    await expect(decodeInBrowser(heic, {})).rejects.toMatchObject({
      ...{ code: "IMAGE_UNSUPPORTED", message: expect.stringContaining("HEIC") },
    });
  });
});

it("what a model is shown, with the file's hash", async () => {
  const how = { size: 64, resizeMode: "shortest", mean: [0, 0, 0], std: [1, 1, 1] } as const;
  const name = `${goldens}preprocess/skimage-coffee.png`;
  expect(await preprocessIn(disk)(name, how)).toEqual(await preprocess(name, how));
});
