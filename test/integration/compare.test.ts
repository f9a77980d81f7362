import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ComparedSide, type CompareOptions, compareModels } from "../../src/analysis/compare/compare.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { encodePng } from "../../src/image/encode.ts";
import { Random } from "../../src/math/random.ts";
import { allHeads, parseComponents } from "../../src/model/components.ts";
import { headContribution } from "../../src/model/head-space.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { compareResultSchema } from "../../src/results/compare.ts";
import type { Head } from "../../src/results/shapes.ts";
import { writeWhole } from "../../src/support/files.ts";
import { goldenPath } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";

const loader = createModelLoader();
const FOLDERS = [goldenPath("gelu-p8/open_clip"), goldenPath("quickgelu-p14/transformers")];
const COUNT = 46;
const SIDE = 40;

let scratch: string;
let sides: ComparedSide[];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "compare-"));
  const corpus = join(scratch, "corpus");
  await writeImages(corpus);
  // Another order, other names and one picture less: images are known by their bytes.
  const moved = join(scratch, "moved");
  await mkdir(moved);
  const { images } = await scanSource(join(corpus, "list.csv"));
  for (const [i, { path }] of images.slice(1).entries())
    await cp(join(corpus, path), join(moved, `${String(COUNT - i).padStart(3, "0")}.png`));
  sides = await Promise.all(
    FOLDERS.map(async (folder, i) => {
      const model = await loader.load(folder);
      const out = join(scratch, `index${i}`);
      await buildIndex(model, await scanSource(i === 0 ? join(corpus, "list.csv") : moved), out, {
        dtype: "float32",
      });
      const components = { name: "all", set: allHeads(model.geometry) };
      return { model, index: await readIndex(out), components };
    }),
  );
});
afterAll(async () => {
  await loader.release();
  await rm(scratch, { recursive: true });
});

/** Noise over one of four colours, which the list names. */
async function writeImages(folder: string): Promise<void> {
  const random = new Random(1);
  const lines = ["path,colour"];
  for (let i = 0; i < COUNT; i++) {
    const colour = i % 4;
    const pixels = Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, at) =>
      at % 3 === colour ? 230 + random.below(20) : random.below(120),
    );
    lines.push(`${i}.png,${["red", "green", "blue", "dark"][colour]}`);
    await writeWhole(join(folder, `${i}.png`), await encodePng(pixels, SIDE, SIDE));
  }
  await writeWhole(join(folder, "list.csv"), lines.join("\n"));
}

const compare = (a: ComparedSide, b: ComparedSide, options: CompareOptions = {}) =>
  compareModels(a, b, { permutations: 20, ...options });

/** A head's contributions to the images with these hashes, dense, from what the index stores. */
async function dense({ index, model: { geometry } }: ComparedSide, unit: number, hashes: readonly string[]) {
  const { heads, headDim, layers } = geometry;
  const [layer, head] = [Math.floor(unit / heads), unit % heads];
  const [stored, scalars] = [await index.head(layer, head), await index.scalars()];
  const rows = new Map(index.images.map(({ sha256 }, row) => [sha256, row]));
  return hashes.map((hash) => {
    const row = rows.get(hash)!;
    const z = new Float32Array(layers * heads * headDim);
    z.set(stored.subarray(row * headDim, (row + 1) * headDim), unit * headDim);
    const [mu, sigma, norm] = [0, 1, 2].map((i) => Float64Array.of(scalars[row * 3 + i]));
    const none = { embedding: new Float32Array(0), mlps: new Float32Array(0), error: mu };
    return [...headContribution(geometry, { count: 1, z, mu, sigma, norm, ...none }, layer, head)];
  });
}

/** CKA by its definition, from n×n Gram matrices in float64. */
function defined(x: number[][], y: number[][]): number {
  const n = x.length;
  const gram = (rows: number[][]) => {
    const mean = rows[0].map((_, d) => rows.reduce((sum, row) => sum + row[d], 0) / n);
    const centred = rows.map((row) => row.map((value, d) => value - mean[d]));
    return centred.flatMap((p) => centred.map((q) => p.reduce((sum, value, d) => sum + value * q[d], 0)));
  };
  const [k, l] = [gram(x), gram(y)];
  const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  return dot(k, l) / Math.sqrt(dot(k, k) * dot(l, l));
}

describe("two models compared", () => {
  it("have the CKA of their dense contributions, over the images that both hold", async () => {
    const [a, b] = sides;
    const found = await compare(a, b);
    expect([found.images, found.shared, found.onlyA, found.onlyB]).toEqual([COUNT - 1, COUNT - 1, 1, 0]);
    const hashes = b.index.images.map(({ sha256 }) => sha256);
    const [denseA, denseB] = await Promise.all(
      [a, b].map((side) =>
        Promise.all(
          Array.from({ length: side.components.set.heads.length }, (_, unit) => dense(side, unit, hashes)),
        ),
      ),
    );
    for (const [i, x] of denseA.entries()) {
      for (const [j, y] of denseB.entries()) {
        expect(Math.abs(found.similarity[i][j] - defined(x, y))).toBeLessThan(1e-4);
      }
    }
    for (const { a: left, b: right, similarity, low, high } of found.pairs) {
      const at = (heads: readonly Head[], { name }: Head) => heads.findIndex((head) => head.name === name);
      const row = found.similarity[at(found.a.components.heads, left)];
      expect(similarity).toBe(row[at(found.b.components.heads, right)]);
      expect(similarity).toBeGreaterThan(found.chance.highest);
      expect(low).toBeLessThanOrEqual(similarity);
      expect(high).toBeGreaterThanOrEqual(Math.min(1, similarity));
    }
  });

  it("match every head with itself where they are one model, whatever their images are called", async () => {
    const [a] = sides;
    const found = await compare(a, a, { pairs: 100 });
    expect(found.mutual).toBe(found.a.components.heads.length);
    for (const { a: left, b: right, similarity, factors, axis } of found.pairs) {
      expect(left).toEqual(right);
      expect(similarity).toBeCloseTo(1, 4);
      expect(axis.correlation).toBeCloseTo(1, 4);
      expect(factors.map(({ name }) => name)).toEqual(["colour"]);
      for (const factor of factors) expect(factor.a).toBeCloseTo(factor.b, 9);
    }
  });

  it("are the same whichever comes first, and the same twice", async () => {
    const [a, b] = sides;
    const [one, again, other] = [await compare(a, b), await compare(a, b), await compare(b, a)];
    expect(again).toEqual(one);
    for (const [i, row] of one.similarity.entries()) {
      for (const [j, value] of row.entries())
        expect(Math.abs(other.similarity[j][i] - value)).toBeLessThan(1e-5);
    }
  });

  it("may be compared over fewer images and heads", async () => {
    const [a, b] = sides;
    const last = { ...a, components: { name: "last1", set: parseComponents("last1", a.model.geometry) } };
    const found = await compare(last, b, { maxImages: 42, pairs: 1 });
    expect([found.images, found.shared]).toEqual([42, COUNT - 1]);
    expect(new Set(found.a.components.heads.map(({ layer }) => layer))).toEqual(
      new Set([a.model.geometry.layers - 1]),
    );
    expect(found.pairs.length).toBeLessThanOrEqual(1);
  });

  it("are not compared where they share too few images, or by what is no head", async () => {
    const [a, b] = sides;
    const few = { ...b.index, images: b.index.images.slice(0, 39) };
    await expect(compare(a, { ...b, index: few })).rejects.toMatchObject({
      code: "IMAGES_DIFFER",
      message: expect.stringContaining("share 39 images"),
    });
    const set = parseComponents("L0,L0.MLP", a.model.geometry);
    const mlps = { ...a, components: { name: "L0,L0.MLP", set } };
    await expect(compare(mlps, b)).rejects.toMatchObject({ code: "HEADS_INVALID" });
  });
});

describe("the compare command", () => {
  const args = () => ["compare", "--index", join(scratch, "index0"), "--index", join(scratch, "index1")];
  const made = FOLDERS.flatMap((folder) => ["--made-by", folder]);

  it("prints what its contract says, and draws what it found", async () => {
    const pictures = ["svg", "html", "png"].map((kind) => join(scratch, `heads.${kind}`));
    const out = pictures.flatMap((path) => ["--out", path]);
    const { code, stdout } = await runHere(...args(), ...made, "--json", "-k", "3", ...out);
    expect(code).toBe(0);
    const json = compareResultSchema.parse(JSON.parse(stdout));
    expect(json.similarity).toHaveLength(json.a.components.heads.length);
    expect(json.similarity[0]).toHaveLength(json.b.components.heads.length);
    for (const path of pictures.slice(0, 2)) {
      const text = readFileSync(path, "utf8");
      for (const part of [
        "linear CKA",
        "45 images",
        ...json.pairs.map(({ a, b }) => `${a.name} and ${b.name}`),
      ])
        expect(text).toContain(part);
    }
    const text = await runHere(...args(), ...made);
    expect(text.stdout).toContain("With the images shuffled");
  });

  it("says what it lacks", async () => {
    const one = await runHere("compare", "--index", join(scratch, "index0"));
    expect(one.stderr).toMatch(/error USAGE: give --index twice/);
    // Its models' folders are known to the indexes.
    expect(await runHere(...args())).toMatchObject({ code: 0 });
    const lost = join(scratch, "lost");
    cpSync(join(scratch, "index0"), lost, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(lost, "manifest.json"), "utf8"));
    manifest.model.folder = { absolute: join(scratch, "nowhere"), relative: "../nowhere" };
    writeFileSync(join(lost, "manifest.json"), JSON.stringify(manifest));
    const unknown = await runHere("compare", "--index", lost, "--index", join(scratch, "index1"));
    expect(unknown.stderr).toMatch(/error MODEL_NOT_FOUND: .*nowhere.*--made-by/);
    const swapped = await runHere(
      ...args(),
      ...made.toReversed().flatMap((word) => (word === "--made-by" ? [] : ["--made-by", word])),
    );
    expect(swapped.stderr).toMatch(/error INDEX_MISMATCH/);
  });
});
