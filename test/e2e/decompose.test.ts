import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decomposeResultSchema } from "../../src/results/decompose.ts";
import { readNpy } from "../../src/support/npy.ts";
import { formatNpyHeader } from "../../src/support/npy-header.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, LAYOUTS, MODELS } from "../support/goldens.ts";
import { expectError, runCli, runOk, startCli, testFolder } from "./cli.ts";

const FILES = ["attention_contributions.npy", "image_embedding.npy", "mlp_contributions.npy"];
const GELU = goldenPath("gelu-p8/open_clip");
const cases = MODELS.flatMap((name) => LAYOUTS.map((layout) => ({ name, layout })));

/** The arguments that decompose a golden model's pixels into `out`. */
const decomposeArgs = (model: string, pixels: string, out: string, ...more: string[]) => [
  ...["decompose", "--model", model, "--pixels", pixels, "--out", out],
  ...more,
];

/** A written float32 array. */
async function written(folder: string, name: string): Promise<{ shape: number[]; data: Float32Array }> {
  const { shape, data } = await readNpy(join(folder, name));
  expect(data).toBeInstanceOf(Float32Array);
  return { shape: [...shape], data: data as Float32Array };
}

/** Sums contributions [b, L, N, H, D] over their tokens, in float64. */
function sumTokens({ shape, data }: { shape: number[]; data: Float32Array }): Float64Array {
  const [images, layers, tokens, heads, width] = shape;
  const row = heads * width;
  const sums = new Float64Array(images * layers * row);
  for (let i = 0; i < data.length; i++) sums[Math.floor(i / (tokens * row)) * row + (i % row)] += data[i];
  return sums;
}

/** Float32 images of zeros, as many as wanted: a hole in the file, so that it costs neither time nor disk. */
async function writeZeros(path: string, images: number): Promise<void> {
  const header = formatNpyHeader("<f4", [images, 3, 32, 32]);
  await writeFile(path, header);
  await truncate(path, header.length + images * 3 * 32 * 32 * 4);
}

/** Waits until a file exists. */
async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each(cases)("decompose, $name as $layout", ({ name, layout }) => {
  const model = goldenPath(`${name}/${layout}`);
  const pixels = goldenPath(`${name}/pixels.npy`);

  it("writes the reference's arrays, whole", async () => {
    const out = join(await testFolder(), "new", "folder");
    const stdout = await runOk(decomposeArgs(model, pixels, out));
    expect((await readdir(out)).sort()).toEqual(FILES);

    const tokens = await goldenArray(`${name}/attention_contributions.npy`, 5);
    const [images, layers, , heads, width] = tokens.shape;
    const attention = await written(out, "attention_contributions.npy");
    expect(attention.shape).toEqual([images, layers, heads, width]);
    expect(relativeError(attention.data, sumTokens(tokens))).toBeLessThan(1e-5);

    for (const file of ["mlp_contributions.npy", "image_embedding.npy"]) {
      const golden = await goldenArray(`${name}/${file}`, file === "mlp_contributions.npy" ? 3 : 2);
      const array = await written(out, file);
      expect(array.shape).toEqual(golden.shape);
      expect(relativeError(array.data, golden.data)).toBeLessThan(1e-5);
    }
    for (const file of FILES) expect(stdout).toContain(join(out, file));
  });

  it("writes every token's share with --spatial, and says what it wrote with --json", async () => {
    const out = await testFolder();
    const stdout = await runOk(decomposeArgs(model, pixels, out, "--spatial", "--json"));
    const golden = await goldenArray(`${name}/attention_contributions.npy`, 5);
    const attention = await written(out, "attention_contributions.npy");
    expect(attention.shape).toEqual(golden.shape);
    expect(relativeError(attention.data, golden.data)).toBeLessThan(1e-4);

    const result = decomposeResultSchema.parse(JSON.parse(stdout));
    expect(result.images).toBe(golden.shape[0]);
    expect(result.sumError).toBeLessThan(1e-5);
    expect(result.files.map(({ path }) => path).sort()).toEqual(FILES.map((file) => join(out, file)));
    for (const { path, shape } of result.files) expect((await readNpy(path)).shape).toEqual(shape);
  });
});

describe("decompose leaves nothing partial behind", () => {
  it.each([
    ["another model's pixels", "PIXELS_MISMATCH", async () => goldenPath("quickgelu-p14/pixels.npy")],
    ["an array of another rank", "NPY_INVALID", async () => goldenPath("gelu-p8/image_embedding.npy")],
    ["an array that is cut off", "NPY_INVALID", cutPixels],
    ["no image at all", "PIXELS_MISMATCH", noPixels],
    ["a missing file", "INPUT_NOT_FOUND", async () => "missing.npy"],
  ])("after %s", async (_what, code, pixels) => {
    const folder = await testFolder();
    const out = join(folder, "out");
    expectError(await runCli(decomposeArgs(GELU, await pixels(folder), out)), code);
    expect(await readdir(folder)).not.toContain("out");
  });

  it("after finding that the folder cannot be written to", async () => {
    const folder = await testFolder();
    const file = join(folder, "file");
    await writeFile(file, "mine");
    for (const out of [file, join(file, "below")]) {
      const result = await runCli(decomposeArgs(GELU, goldenPath("gelu-p8/pixels.npy"), out));
      expectError(result, "OUTPUT_UNWRITABLE");
    }
    expect(await readFile(file, "utf8")).toBe("mine");
    // The last of the three arrays cannot be opened: the first two must not stay.
    await mkdir(join(folder, "image_embedding.npy.partial"));
    const result = await runCli(decomposeArgs(GELU, goldenPath("gelu-p8/pixels.npy"), folder));
    expectError(result, "OUTPUT_UNWRITABLE");
    expect((await readdir(folder)).sort()).toEqual(["file", "image_embedding.npy.partial"]);
  });

  it("after Ctrl-C, and the same command then succeeds", async () => {
    const folder = await testFolder();
    const [pixels, out] = [join(folder, "pixels.npy"), join(folder, "out")];
    const images = 2000;
    await writeZeros(pixels, images);
    await mkdir(out);
    const first = join(out, FILES[0]);
    await writeFile(first, "of an earlier run");

    const { child, result } = startCli(decomposeArgs(GELU, pixels, out));
    await appears(`${first}.partial`);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await result;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toMatch(/^error CANCELLED: [^\n]+\n$/);
    expect(await readdir(out)).toEqual([FILES[0]]);
    expect(await readFile(first, "utf8")).toBe("of an earlier run");

    await runOk(decomposeArgs(GELU, pixels, out));
    expect((await readdir(out)).sort()).toEqual(FILES);
    expect((await written(out, "image_embedding.npy")).shape).toEqual([images, 48]);
  });
});

/** The golden pixels without their last byte. */
async function cutPixels(folder: string): Promise<string> {
  const path = join(folder, "cut.npy");
  await writeFile(path, (await readFile(goldenPath("gelu-p8/pixels.npy"))).subarray(0, -1));
  return path;
}

/** An array of the right shape with no image in it. */
async function noPixels(folder: string): Promise<string> {
  const path = join(folder, "none.npy");
  await writeFile(path, formatNpyHeader("<f4", [0, 3, 32, 32]));
  return path;
}
