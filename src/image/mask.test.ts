import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "./decode.ts";
import { readIndexedPng } from "./indexed-png.ts";
import { cropMask, readMask } from "./mask.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mask-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A gray image of one byte a pixel. */
const gray = (values: number[], width: number) =>
  sharp(Uint8Array.from(values), {
    raw: { width, height: values.length / width, channels: 1 },
  }).toColourspace("b-w");

async function saved(name: string, image: Sharp): Promise<string> {
  const path = join(folder, name);
  await image.toFile(path);
  return path;
}

describe("readMask", () => {
  it("reads a gray mask's numbers as they are", async () => {
    const path = await saved("gray.png", gray([0, 1, 2, 200, 255, 7], 3).png());
    expect(await readMask(path)).toEqual({
      width: 3,
      height: 2,
      values: Uint8Array.of(0, 1, 2, 200, 255, 7),
    });
  });

  it("reads a palette's indices, of one to eight bits, and not its colours", async () => {
    for (const [colours, side] of [
      [2, 13],
      [4, 9],
      [16, 11],
      [200, 40],
    ]) {
      const rgb = Uint8Array.from(
        { length: side * side * 3 },
        (_, i) => (Math.floor(i / 3) % colours) * [1, 3, 5][i % 3],
      );
      const image = sharp(rgb, { raw: { width: side, height: side, channels: 3 } });
      const png = await image.png({ palette: true, colours, dither: 0, quality: 100 }).toBuffer();
      const indexed = readIndexedPng(png)!;
      const { data } = await decodeImage(png);
      // Equal index, equal colour; another index, another colour: the decoder's colours are the truth.
      const colourOf = new Map<number, string>();
      for (const [i, index] of indexed.indices.entries()) {
        const colour = data.subarray(3 * i, 3 * i + 3).join();
        expect(colourOf.get(index) ?? colour).toBe(colour);
        colourOf.set(index, colour);
      }
      expect(new Set(colourOf.values()).size).toBe(colourOf.size);
      expect(colourOf.size).toBe(colours);
    }
  });

  it("takes a colour file that is gray, and refuses colours and deep samples", async () => {
    const rgb = sharp(Uint8Array.of(9, 9, 9, 4, 4, 4), { raw: { width: 2, height: 1, channels: 3 } });
    expect((await readMask(await saved("same.png", rgb.png()))).values).toEqual(Uint8Array.of(9, 4));
    const red = sharp(Uint8Array.of(9, 0, 0, 4, 4, 4), { raw: { width: 2, height: 1, channels: 3 } });
    const deep = sharp(Uint16Array.of(300, 2), {
      raw: { width: 2, height: 1, channels: 1 },
    });
    for (const [name, image] of [
      ["red.png", red.png()],
      ["deep.png", deep.toColourspace("grey16").png()],
    ] as const) {
      await expect(readMask(await saved(name, image))).rejects.toMatchObject({ code: "MASKS_INVALID" });
    }
  });

  it("refuses what is not there or no image", async () => {
    await expect(readMask(join(folder, "none.png"))).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(readMask(import.meta.filename)).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });
});

describe("cropMask", () => {
  const config = { size: 2, resizeMode: "shortest", mean: [0, 0, 0], std: [1, 1, 1] } as const;

  it("cuts what the model is shown: the middle of the longer side", () => {
    const values = Uint8Array.from({ length: 6 * 2 }, (_, i) => i);
    expect([...cropMask({ width: 6, height: 2, values }, config)]).toEqual([2, 3, 8, 9]);
    expect([...cropMask({ width: 2, height: 6, values }, config)]).toEqual([4, 5, 6, 7]);
  });

  it("takes the nearest sample where it shrinks", () => {
    const values = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect([...cropMask({ width: 4, height: 4, values }, config)]).toEqual([5, 7, 13, 15]);
  });
});
