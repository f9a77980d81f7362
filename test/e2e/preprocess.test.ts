import { readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { preprocessResultSchema } from "../../src/results/preprocess.ts";
import { goldenPath } from "../support/goldens.ts";
import { expectError, runCli, runOk, sharedFolder, testFolder } from "./cli.ts";

interface Case {
  readonly file: string;
  readonly size: readonly [number, number];
}

const shared = sharedFolder();
const golden = (file: string) => goldenPath(`preprocess/${file}`);
const cases: Case[] = JSON.parse(readFileSync(golden("cases.json"), "utf8"));
const lossless = cases.filter(({ file }) => file.endsWith(".png"));

/** The reference's crop of a golden image. */
const expectedCrop = (file: string) => golden(file.replace(/\.\w+$/, ".expected-224.png"));

/** Decoded pixels, and how they are stored. */
async function pixels(path: string) {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  return { data, stored: [info.width, info.height, info.channels] };
}

/** The mean difference, in levels. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((total, value, i) => total + Math.abs(value - b[i]), 0) / a.length;
}

describe("preprocess", () => {
  it("has lossless goldens to compare with", () => {
    expect(lossless.length).toBeGreaterThanOrEqual(8);
  });

  it.concurrent.each(lossless)(
    "shows of $file what the reference shows, bit for bit",
    async ({ file, size }) => {
      const out = shared(file);
      const args = ["preprocess", golden(file), "--size", "224", "--no-exif", "--out", out, "--json"];
      const result = preprocessResultSchema.parse(JSON.parse(await runOk(args)));
      expect(result.origin.image).toMatchObject({ name: golden(file), label: null });
      expect(result).toMatchObject({ out, size: 224, original: { width: size[0], height: size[1] } });
      const [actual, expected] = [await pixels(out), await pixels(expectedCrop(file))];
      expect(actual.stored).toEqual([224, 224, 3]);
      expect(actual.data.equals(expected.data)).toBe(true);
    },
  );

  it("turns a photo upright by its EXIF orientation, and not with --no-exif", async () => {
    const folder = await testFolder();
    const run = async (out: string, ...more: string[]) => {
      const args = [
        "preprocess",
        golden("exif-6.jpg"),
        "--size",
        "224",
        "--out",
        join(folder, out),
        "--json",
      ];
      const { original } = preprocessResultSchema.parse(JSON.parse(await runOk([...args, ...more])));
      return { original, ...(await pixels(join(folder, out))) };
    };
    const expected = await sharp(expectedCrop("exif-6.jpg")).raw().toBuffer();
    const turned = await sharp(expectedCrop("exif-6.jpg")).rotate(90).raw().toBuffer();
    const asStored = await run("stored.png", "--no-exif");
    const upright = await run("upright.png");
    // JPEG decoders round differently: a level or so.
    expect(meanDifference(asStored.data, expected)).toBeLessThan(0.1);
    expect(upright.original).toEqual({ width: asStored.original.height, height: asStored.original.width });
    // Cropped before or after the turn: half a pixel apart, not a quarter turn.
    expect(meanDifference(upright.data, turned)).toBeLessThan(8);
    expect(meanDifference(upright.data, expected)).toBeGreaterThan(20);
  });

  it("takes the model's size by default, and makes the folder", async () => {
    const out = join(await testFolder(), "new", "crop.PNG");
    const model = goldenPath("quickgelu-p14/transformers");
    const stdout = await runOk(["preprocess", golden("tall.png"), "--model", model, "--out", out]);
    expect((await pixels(out)).stored).toEqual([70, 70, 3]);
    expect(stdout).toContain("70×70");
  });

  it.each([
    ["0", "x.png"],
    ["100000", "x.png"],
    ["224", "x.jpg"],
  ])("refuses --size '%s' --out %s", async (size, out) => {
    const folder = await testFolder();
    const args = ["preprocess", golden("tiny.png"), `--size=${size}`, "--out", out];
    expectError(await runCli(args, { cwd: folder }), "USAGE");
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves an earlier result alone when the image is bad", async () => {
    const folder = await testFolder();
    const out = join(folder, "crop.png");
    await writeFile(out, "of an earlier run");
    const args = ["preprocess", golden("cases.json"), "--out", out];
    expectError(await runCli(args), "IMAGE_UNREADABLE");
    expect(readFileSync(out, "utf8")).toBe("of an earlier run");
  });
});
