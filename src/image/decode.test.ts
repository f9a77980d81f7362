import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ClipInterpretError } from "../support/errors.ts";
import { decodeImage } from "./decode.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/preprocess/", import.meta.url));

/** A PNG of one IDAT chunk; `rows` holds the filter byte of each row too. */
function png(
  width: number,
  height: number,
  bitDepth: number,
  colourType: number,
  rows: number[],
  trns?: number[],
): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, bitDepth, colourType, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...(trns ? [chunk("tRNS", Buffer.from(trns))] : []),
    chunk("IDAT", deflateSync(Buffer.from(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The header of a BMP of 24 bits. */
function bmpOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(54);
  header.write("BM", "latin1");
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [28, 24],
  ] as const)
    header.writeUInt32LE(value, at);
  return header;
}

/** A 6×4 image with smooth colours. */
function pixels(channels: 1 | 3 | 4): { data: Uint8Array; image: Sharp } {
  const data = Uint8Array.from(
    { length: 24 * channels },
    (_, i) => 40 + 5 * Math.floor(i / channels) + 30 * (i % channels),
  );
  return { data, image: sharp(data, { raw: { width: 6, height: 4, channels } }) };
}

describe("decodeImage", () => {
  it.each([
    ["PNG", (image: Sharp) => image.png()],
    ["WebP", (image: Sharp) => image.webp({ lossless: true })],
    ["TIFF", (image: Sharp) => image.tiff({ compression: "lzw" })],
    ["AVIF", (image: Sharp) => image.avif({ lossless: true })],
  ])("reads lossless %s in RGB and RGBA", async (name, encode) => {
    for (const [channels, mode] of [
      [3, "RGB"],
      [4, "RGBA"],
    ] as const) {
      const { data, image } = pixels(channels);
      const decoded = await decodeImage(await encode(image).toBuffer());
      expect(decoded).toMatchObject({ mode, width: 6, height: 4 });
      const tolerance = name === "AVIF" ? 3 : 0;
      expect(decoded.data.length).toBe(data.length);
      expect(Math.max(...data.map((x, i) => Math.abs(x - decoded.data[i]!)))).toBeLessThanOrEqual(tolerance);
    }
  });

  it("reads JPEG, gray JPEG and CMYK JPEG in their own modes", async () => {
    const rgb = pixels(3);
    const gray = pixels(1);
    const near = (a: Uint8Array, b: Uint8Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    const jpeg = await decodeImage(
      await rgb.image.jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer(),
    );
    expect(jpeg.mode).toBe("RGB");
    expect(near(rgb.data, jpeg.data)).toBeLessThanOrEqual(3);
    const grayJpeg = await decodeImage(
      await gray.image.toColourspace("b-w").jpeg({ quality: 100 }).toBuffer(),
    );
    expect(grayJpeg.mode).toBe("L");
    expect(near(gray.data, grayJpeg.data)).toBeLessThanOrEqual(2);
    const cmyk = await decodeImage(await rgb.image.toColourspace("cmyk").jpeg().toBuffer());
    expect(cmyk).toMatchObject({ mode: "CMYK", width: 6, height: 4 });
    expect(cmyk.data.length).toBe(6 * 4 * 4);
  });

  it("reads indexed images (PNG, GIF) as looked-up colours that are not to be blended", async () => {
    const { data, image } = pixels(3);
    const indexed = await decodeImage(await image.png({ palette: true, dither: 0 }).toBuffer());
    expect(indexed).toMatchObject({ mode: "P", width: 6, height: 4 });
    expect([...indexed.data]).toEqual([...data]);
    const gif = await decodeImage(await pixels(3).image.gif({ dither: 0 }).toBuffer());
    expect(gif.mode).toBe("P");
    expect([...gif.data]).toEqual([...data]);
  });

  it("reads the first frame of an animation", async () => {
    const frames = Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => (i < 12 ? 200 : 10));
    const raw = { width: 2, height: 4, channels: 3, pageHeight: 2 } as const;
    const decoded = await decodeImage(await sharp(frames, { raw }).gif().toBuffer());
    expect(decoded).toMatchObject({ width: 2, height: 2 });
    expect(new Set(decoded.data)).toEqual(new Set([200]));
  });

  it("reads PNG's other colour types as Pillow does", async () => {
    const modeAndData = async (bytes: Buffer) => {
      const { mode, data } = await decodeImage(bytes);
      return [mode, ...data];
    };
    expect(await modeAndData(png(4, 1, 2, 0, [0, 0b00011011]))).toEqual(["L", 0, 85, 170, 255]);
    expect(await modeAndData(png(2, 1, 1, 0, [0, 0b01000000]))).toEqual(["P", 0, 0, 0, 255, 255, 255]);
    expect(await modeAndData(png(2, 1, 16, 0, [0, 0x12, 0xff, 0xff, 0x01]))).toEqual([
      "RGB",
      ...[0x12, 0x12, 0x12, 0xff, 0xff, 0xff],
    ]);
    expect(await modeAndData(png(1, 1, 16, 2, [0, 1, 200, 2, 200, 3, 200]))).toEqual(["RGB", 1, 2, 3]);
    expect(await modeAndData(png(2, 1, 8, 4, [0, 7, 80, 9, 255]))).toEqual([
      "RGBA",
      7,
      7,
      7,
      80,
      9,
      9,
      9,
      255,
    ]);
    // One transparent colour is not an alpha channel.
    expect(await modeAndData(png(2, 1, 8, 2, [0, 1, 2, 3, 9, 8, 7], [0, 1, 0, 2, 0, 3]))).toEqual([
      "RGB",
      1,
      2,
      3,
      9,
      8,
      7,
    ]);
    expect(await modeAndData(png(2, 1, 8, 0, [0, 1, 9], [0, 1]))).toEqual(["RGB", 1, 1, 1, 9, 9, 9]);
  });

  it("warns of 12 bits in 16, which are shown all but black", async () => {
    const report = vi.fn();
    const bytes = png(2, 1, 16, 0, [0, 0x0f, 0xff, 0x03, 0x01]);
    expect((await decodeImage(bytes, { report, name: "scan.png" })).data).toEqual(
      Buffer.of(15, 15, 15, 3, 3, 3),
    );
    const message = expect.stringMatching(/^scan\.png has samples of 16 bits that use 12/);
    expect(report.mock.calls).toEqual([[{ type: "warning", code: "IMAGE_DARK", message }]]);
    await decodeImage(png(2, 1, 16, 0, [0, 0x10, 0, 0, 1]), { report });
    expect(report).toHaveBeenCalledTimes(1);
  });

  it("refuses TIFFs of YCbCr colours, which libvips shows in false ones, and of floats", async () => {
    const tiff = await pixels(3).image.tiff({ compression: "none" }).toBuffer();
    const tag = tiff.indexOf(Buffer.of(0x06, 0x01, 0x03, 0x00)); // photometric, a short
    tiff.writeUInt16LE(6, tag + 8);
    await expect(decodeImage(tiff)).rejects.toThrow(/YCbCr/);
    const floats = await pixels(3).image.toColourspace("scrgb").tiff({ compression: "none" }).toBuffer();
    await expect(decodeImage(floats)).rejects.toThrow(/samples are of type float/);
  });

  it("skips what a run-length BMP leaves out", async () => {
    // 4 of colour 2 below, then two right and two up, 3 of colour 1.
    const runs = [4, 2, 0, 2, 1, 2, 3, 1, 0, 1];
    const palette = [0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0];
    const header = bmpOf(8, 3);
    header.writeUInt16LE(8, 28);
    header.writeUInt32LE(1, 30);
    header.writeUInt32LE(3, 46);
    header.writeUInt32LE(54 + palette.length, 10);
    const { mode, data } = await decodeImage(Buffer.concat([header, Buffer.from([...palette, ...runs])]));
    expect(mode).toBe("P");
    const red = (row: number) =>
      [...Array(8).keys()].map((x) => (data[(row * 8 + x) * 3] === 255 ? "r" : ".")).join("");
    const green = (row: number) =>
      [...Array(8).keys()].map((x) => (data[(row * 8 + x) * 3 + 1] === 255 ? "g" : ".")).join("");
    expect([red(0), green(1), green(2)]).toEqual([".....rrr", "........", "gggg...."]);
  });

  it("ignores colour profiles", async () => {
    const { data, image } = pixels(3);
    const tagged = await image.withIccProfile("p3", { attach: true }).png().toBuffer();
    const profile = tagged.indexOf("iCCP") - 4;
    const rest = profile + 12 + tagged.readUInt32BE(profile);
    const untagged = Buffer.concat([tagged.subarray(0, profile), tagged.subarray(rest)]);
    const stored = [...(await decodeImage(untagged)).data];
    expect(stored).not.toEqual([...data]);
    expect([...(await decodeImage(tagged)).data]).toEqual(stored);
  });
});

describe("decodeImage refuses", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "decode-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const jpeg = readFileSync(`${goldens}exif-6.jpg`);
  const cases: [string, Uint8Array | string, string][] = [
    ["an empty file", new Uint8Array(), "IMAGE_UNREADABLE"],
    ["text", "this is not an image", "IMAGE_UNREADABLE"],
    ["a cut JPEG", jpeg.subarray(0, jpeg.length >> 1), "IMAGE_UNREADABLE"],
    ["a JPEG without its end", jpeg.subarray(0, -12), "IMAGE_UNREADABLE"],
    ["a JPEG's header alone", jpeg.subarray(0, 100), "IMAGE_UNREADABLE"],
    ["a cut PNG", readFileSync(`${goldens}tall.png`).subarray(0, 50_000), "IMAGE_UNREADABLE"],
    ["a drawing", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "IMAGE_UNSUPPORTED"],
    ["a camera's raw file", Buffer.from("II*\0\x10\0\0\0CR\x02\0", "latin1"), "IMAGE_UNSUPPORTED"],
    ["a GIF without its frame", Buffer.from("GIF89a\x02\0\x02\0\0\0\0", "latin1"), "IMAGE_UNREADABLE"],
    ["a BMP cut off", readFileSync(`${goldens}../pictures/bits-24.bmp`).subarray(0, 400), "IMAGE_UNREADABLE"],
    ["a PPM cut off", readFileSync(`${goldens}../pictures/p6.ppm`).subarray(0, -1), "IMAGE_UNREADABLE"],
    ["a HEIC cut off", readFileSync(`${goldens}../pictures/photo.heic`).subarray(0, 600), "IMAGE_UNREADABLE"],
    ["a long thin row", png(70_000, 1, 8, 2, [0]), "IMAGE_TOO_LARGE"],
    ["a BMP that claims much", bmpOf(60_000, 60_000), "IMAGE_TOO_LARGE"],
    ["a pixel bomb", png(60_000, 60_000, 8, 2, [0]), "IMAGE_TOO_LARGE"],
    ["a bomb past 32 bits", png(2_000_000_000, 2_000_000_000, 8, 2, [0]), "IMAGE_UNREADABLE"],
  ];

  it.each(cases)("%s, by name", async (name, content, code) => {
    const path = join(folder, `${name}.png`);
    await writeFile(path, content);
    await expect(decodeImage(path)).rejects.toMatchObject({
      name: "ClipInterpretError",
      code,
      message: expect.stringContaining(path),
    });
  });

  it("in words for who has the picture", async () => {
    for (const [name, content] of cases.filter(([name]) => /cut|without its end|header alone/.test(name)))
      await expect(decodeImage(content as Uint8Array, { name: "it" }), name).rejects.toThrow(
        /^cannot decode it: (the file is cut off|it is damaged or cut off)/,
      );
    await expect(decodeImage(jpeg.subarray(0, 100), { name: "it" })).rejects.not.toThrow(/vips|buffer/i);
  });

  it("missing files and folders", async () => {
    await expect(decodeImage(join(folder, "none.png"))).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(decodeImage(folder)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });

  it("what is over the limit it is given", async () => {
    const bytes = await pixels(3).image.png().toBuffer();
    await expect(decodeImage(bytes, { maxPixels: 23, name: "six by four" })).rejects.toMatchObject({
      code: "IMAGE_TOO_LARGE",
      message: "six by four: 6 × 4 pixels, the limit is 23",
    });
    await expect(decodeImage(bytes, { maxPixels: 24 })).resolves.toBeDefined();
  });

  it("damaged bytes with a coded error, or reads them, and nothing else", async () => {
    const { image } = pixels(3);
    const encoded = await Promise.all([
      image.clone().png().toBuffer(),
      image.clone().jpeg().toBuffer(),
      image.clone().webp().toBuffer(),
      image.clone().gif().toBuffer(),
      image.clone().tiff().toBuffer(),
      ...[
        "photo.heic",
        "rle-4.bmp",
        "alpha.bmp",
        "p3.ppm",
        "p4.pbm",
        "p6-16.ppm",
        "interlaced.gif",
        "own-table.gif",
      ].map((name) => readFileSync(`${goldens}../pictures/${name}`)),
    ]);
    const damage = fc.record({
      file: fc.constantFrom(...encoded),
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, keep, at, value }) => {
        const bytes = Uint8Array.from(file.subarray(0, Math.ceil(keep * file.length)));
        bytes[Math.floor(at * bytes.length)] = value;
        const outcome = await decodeImage(bytes, { maxPixels: 1e5 }).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ClipInterpretError);
      }),
      { numRuns: 300 },
    );
  });
});
