import { createHash } from "node:crypto";
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BuildOptions, buildIndex } from "../../src/corpus/build.ts";
import { folderStore } from "../../src/corpus/folder-store.ts";
import { type Manifest, originOf, requireModelOf } from "../../src/corpus/manifest.ts";
import { writeManifest } from "../../src/corpus/manifest-file.ts";
import { checkIndex, readIndex } from "../../src/corpus/open-index.ts";
import { dropPaths } from "../../src/corpus/prune.ts";
import { putShard } from "../../src/corpus/put-shard.ts";
import { type ImageRow, imageRow } from "../../src/corpus/rows.ts";
import { createShard } from "../../src/corpus/shard.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { storeBatch } from "../../src/corpus/stored.ts";
import { fromHalf } from "../../src/math/half.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { decomposeImages } from "../../src/model/decompose-images.ts";
import type { Decomposition } from "../../src/model/decomposition.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { readNpy } from "../../src/support/npy.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { planCorpus, readCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";

const IMAGES = 40;
const LINUX = process.platform === "linux";

let scratch: string;
let corpus: string;
/** The corpus's picture files, sorted by name. */
let pictures: string[];
let model: ClipModel;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "index-build-"));
  corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", size: 64, indices }));
  pictures = (await readdir(join(corpus, "images"))).sort().map((name) => join(corpus, "images", name));
  const { folder } = await locateModel(DEFAULT_MODEL);
  model = await loadClipModel(folder, DEFAULT_MODEL);
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true });
});

/** A new folder, removed when the running test ends. */
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(scratch, "test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder of the corpus's first pictures, named by `name`, and where its index is to lie. */
async function pictureFolder(
  count: number,
  name = (i: number) => `${String(i).padStart(2, "0")}.png`,
): Promise<{ source: string; index: string }> {
  const folder = await temporary();
  const source = join(folder, "pictures");
  for (const [i, picture] of pictures.slice(0, count).entries()) {
    const path = join(source, name(i));
    await mkdir(dirname(path), { recursive: true });
    await cp(picture, path);
  }
  return { source, index: join(folder, "index") };
}

/** Indexes what lies in `source` now. */
const build = async (source: string, index: string, options: BuildOptions = {}) =>
  buildIndex(model, await scanSource(source), index, options);

/** Every file below a folder, with a checksum of its bytes. */
async function tree(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const files: Record<string, string> = {};
  for (const name of names) {
    if (!(await stat(join(folder, name))).isFile()) continue;
    files[name] = createHash("sha256")
      .update(await readFile(join(folder, name)))
      .digest("hex");
  }
  return files;
}

/** All that one image has in an index. */
interface Entry {
  readonly row: ImageRow;
  /** z of every head, one after another. */
  readonly z: readonly number[];
  readonly scalars: readonly number[];
  readonly embedding: readonly number[];
}

/** What an index says, by path. */
async function contents(folder: string) {
  const warnings: ProgressEvent[] = [];
  const index = await readIndex(folder, { report: (event) => void warnings.push(event) });
  expect(warnings).toEqual([]);
  const { layers, heads, headDim, embedDim } = index.manifest;
  const [scalars, embeddings, moments] = [
    await index.scalars(),
    await index.embeddings(),
    await index.moments(),
  ];
  const z: Float32Array[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) z.push(await index.head(layer, head));
  }
  const part = (array: Float32Array, i: number, width: number) =>
    Array.from(array.subarray(i * width, (i + 1) * width));
  const entries = index.images.map((row, i): [string, Entry] => [
    row.path,
    {
      row,
      z: z.flatMap((unit) => part(unit, i, headDim)),
      scalars: part(scalars, i, 3),
      embedding: part(embeddings, i, embedDim),
    },
  ]);
  return { index, images: new Map(entries), moments };
}

/** The decomposition of these files, computed beside any index. */
async function direct(files: readonly string[], of = model) {
  const z: number[] = [];
  const scalars: number[] = [];
  const embedding: number[] = [];
  const mlps: number[] = [];
  const { embedDim } = of.config;
  for await (const { decomposition: parts } of decomposeImages(of, files)) {
    const { mu, sigma, norm } = parts!;
    z.push(...parts!.z);
    mlps.push(...parts!.mlps);
    mu.forEach((value, i) => void scalars.push(value, sigma[i], norm[i]));
    parts!.embedding.forEach((value, i) => void embedding.push(value / norm[Math.floor(i / embedDim)]));
  }
  return { z, scalars: scalars.map(Math.fround), embedding: embedding.map(Math.fround), mlps };
}

/** Whether a float16 is the one nearest to a float32: half a unit of its last place away at most. */
const isRounded = (half: number, exact: number) =>
  Math.abs(half - exact) <= Math.max(2 ** -11 * Math.abs(exact), 2 ** -25);

/** Σ [z̃;1][z̃;1]ᵀ of one head, in full. */
function recomputedMoments(images: Iterable<Entry>, unit: number, headDim: number): Float64Array {
  const side = headDim + 4;
  const sum = new Float64Array(side * side);
  for (const { z, scalars } of images) {
    const [mu, sigma, norm] = scalars;
    const own = z.slice(unit * headDim, (unit + 1) * headDim).map((value) => value / (sigma * norm));
    const x = [...own, 1 / (sigma * norm), mu / (sigma * norm), 1 / norm, 1];
    for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) sum[i * side + j] += x[i] * x[j];
  }
  return sum;
}

/** Expects moments to be those of the images: each entry to within rounding. */
function expectMoments({ index, images, moments }: Awaited<ReturnType<typeof contents>>): void {
  const { layers, heads, headDim } = index.manifest;
  const side = headDim + 4;
  expect(moments).toHaveLength(layers * heads * side * side);
  for (let unit = 0; unit < layers * heads; unit++) {
    const wanted = recomputedMoments(images.values(), unit, headDim);
    let worst = 0;
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) {
        const scale = Math.sqrt(wanted[i * side + i] * wanted[j * side + j]);
        const off = Math.abs(moments[unit * side * side + i * side + j] - wanted[i * side + j]);
        worst = Math.max(worst, off / scale);
      }
    }
    expect(worst, `head ${unit}`).toBeLessThan(1e-12);
  }
}

/** Expects two indexes to say the same of every image, bit for bit, in whatever order. */
async function expectSameImages(folder: string, other: string): Promise<void> {
  const [one, two] = [await contents(folder), await contents(other)];
  expect([...one.images.keys()].sort()).toEqual([...two.images.keys()].sort());
  for (const [path, entry] of one.images) expect(entry, path).toEqual(two.images.get(path));
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  expect([...one.index.rejected].sort(byPath)).toEqual([...two.index.rejected].sort(byPath));
  expectMoments(one);
}

describe("an index holds what the model computed", () => {
  it("bit for bit in float32: heads, scalars, embeddings and MLP terms", async () => {
    const { source, index } = await pictureFolder(20);
    await build(source, index, { dtype: "float32", mlps: true });
    const names = (await readdir(source)).sort();
    const wanted = await direct(names.map((name) => join(source, name)));
    const held = await contents(index);
    expect([...held.images.keys()]).toEqual(names);
    const all = [...held.images.values()];
    expect(all.flatMap(({ z }) => z)).toEqual(wanted.z);
    expect(all.flatMap(({ scalars }) => scalars)).toEqual(wanted.scalars);
    expect(all.flatMap(({ embedding }) => embedding)).toEqual(wanted.embedding);
    expectMoments(held);
    const { layers, embedDim } = model.geometry;
    const mlps = await readNpy(join(index, "shards/000000/mlps.npy"));
    expect(mlps.shape).toEqual([20, layers + 1, embedDim]);
    const terms = fromHalf(mlps.data as Uint16Array);
    expect(terms.every((term, i) => isRounded(term, wanted.mlps[i]))).toBe(true);
  });

  it("to the nearest float16 where heads are float16, as they are by default; all else bit for bit", async () => {
    const { source, index } = await pictureFolder(20);
    await build(source, index);
    const wanted = await direct(pictures.slice(0, 20));
    const held = await contents(index);
    expect(held.index.manifest).toMatchObject({ dtype: "float16", mlps: false });
    const all = [...held.images.values()];
    const z = all.flatMap((entry) => entry.z);
    expect(z).toHaveLength(wanted.z.length);
    expect(z.every((value, i) => isRounded(value, wanted.z[i]))).toBe(true);
    expect(z).not.toEqual(wanted.z);
    expect(all.flatMap(({ scalars }) => scalars)).toEqual(wanted.scalars);
    expect(all.flatMap(({ embedding }) => embedding)).toEqual(wanted.embedding);
    expectMoments(held);
    expect(await readdir(join(index, "shards/000000"))).not.toContain("mlps.npy");
  });

  it("in arrays that NumPy reads, with the shapes that are documented", async () => {
    const { source, index } = await pictureFolder(5);
    await build(source, index);
    const { layers, heads, headDim, embedDim } = model.geometry;
    const shape = async (name: string) => (await readNpy(join(index, "shards/000000", name))).shape;
    expect(await shape("heads.npy")).toEqual([layers, heads, 5, headDim]);
    expect(await shape("scalars.npy")).toEqual([5, 3]);
    expect(await shape("embedding.npy")).toEqual([5, embedDim]);
    expect(await shape("moments.npy")).toEqual([layers, heads, headDim + 4, headDim + 4]);
  });

  it("says of every image what its file is: size, checksum and pixels", async () => {
    const { source, index } = await pictureFolder(3);
    await sharp(join(source, "01.png"))
      .resize(50, 30, { fit: "fill" })
      .jpeg()
      .toFile(join(source, "wide.jpg"));
    await build(source, index);
    const { images } = await contents(index);
    expect([...images.keys()]).toEqual(["00.png", "01.png", "02.png", "wide.jpg"]);
    for (const [path, { row }] of images) {
      const bytes = await readFile(join(source, path));
      const [width, height] = path === "wide.jpg" ? [50, 30] : [64, 64];
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(row).toMatchObject({ width, height, bytes: bytes.length, sha256, label: null, factors: {} });
    }
    expect(new Set([...images.values()].map(({ row }) => row.id)).size).toBe(4);
  });

  it("whatever the size of its shards and batches: seven images a shard read as one array", async () => {
    const { source, index } = await pictureFolder(IMAGES);
    const small = join(index, "../small");
    await build(source, index);
    expect(await build(source, small, { shardSize: 7, batch: 3 })).toMatchObject({
      images: IMAGES,
      shards: 6,
      added: IMAGES,
    });
    const [whole, parts] = [await contents(index), await contents(small)];
    expect(parts.index.manifest.shards.map(({ images }) => images)).toEqual([7, 7, 7, 7, 7, 5]);
    expect(parts.images).toEqual(whole.images);
    expect([...parts.images.keys()]).toEqual([...whole.images.keys()]);
    expectMoments(parts);
    const { headDim } = model.geometry;
    expect(parts.moments[(headDim + 4) ** 2 - 1]).toBe(IMAGES);
  });

  it("even in a shard of 150,000 images, whole or pruned", async () => {
    const store = folderStore(join(await temporary(), "index"));
    const count = 150_000;
    const empty: Manifest = {
      format: "clip-interpret-index",
      version: 1,
      ...(await originOf(model, true)),
      ...{ layers: 1, heads: 1, headDim: 1, embedDim: 1, dtype: "float32", mlps: false },
      root: "/pictures",
      shards: [],
    };
    const shard = createShard(empty, count);
    const scalars = Float32Array.from({ length: count * 3 }, (_, i) => (i % 3) + 1);
    const z = Float32Array.from({ length: count }, (_, i) => i);
    const shown = { width: 1, height: 1, bytes: 1, sha256: "" };
    const rows = Array.from(z, (_, i) =>
      imageRow({ path: `${i}`, bytes: 1, label: null, factors: {} }, shown),
    );
    shard.add({ count, z, scalars, embedding: z, mlps: new Uint16Array(0) }, rows);
    const manifest = { ...empty, shards: [await putShard(store, empty, shard, 0)] };
    await writeManifest(store, manifest);
    const opened = await readIndex(store.where);
    expect(opened.images).toEqual(rows);
    expect(await opened.head(0, 0)).toEqual(z);
    await dropPaths(store, manifest, new Set(["7"]));
    const pruned = await readIndex(store.where);
    expect(pruned.images).toHaveLength(count - 1);
    expect((await pruned.head(0, 0)).subarray(6, 9)).toEqual(Float32Array.of(6, 8, 9));
  });

  it("reports its progress image by image, to the end", async () => {
    const { source, index } = await pictureFolder(20);
    const events: ProgressEvent[] = [];
    await build(source, index, { batch: 8, report: (event) => void events.push(event) });
    const task = "indexing";
    expect(events).toEqual([
      { type: "start", task, unit: "image", total: 20 },
      ...[8, 16, 20].map((done) => ({ type: "advance", task, done, total: 20 })),
      { type: "end", task, done: 20 },
    ]);
  });

  it("refuses a head that float16 cannot hold, and holds it in float32", () => {
    const parts: Decomposition = {
      count: 1,
      z: Float32Array.of(1, 65504, -70000, 2),
      mu: Float64Array.of(0),
      sigma: Float64Array.of(1),
      norm: Float64Array.of(2),
      embedding: Float32Array.of(2, 4),
      mlps: Float32Array.of(0, 0, 1e5, 0),
      error: Float64Array.of(0),
    };
    const layout = { layers: 1, heads: 2, headDim: 2, embedDim: 2, dtype: "float16", mlps: false } as const;
    const overflow = (message: string) =>
      expect.objectContaining({ code: "HALF_OVERFLOW", message: expect.stringContaining(message) });
    expect(() => storeBatch(parts, layout)).toThrow(overflow("-70000"));
    const exact = storeBatch(parts, { ...layout, dtype: "float32" });
    expect([...exact.z]).toEqual([1, 65504, -70000, 2]);
    expect([...exact.embedding]).toEqual([1, 2]);
    expect(() => storeBatch(parts, { ...layout, dtype: "float32", mlps: true })).toThrow(overflow("100000"));
    const fits = storeBatch({ ...parts, z: Float32Array.of(1, 65504, -65519, 0) }, layout);
    expect([...fromHalf(fits.z as Uint16Array)]).toEqual([1, 65504, -65504, 0]);
  });
});

describe("labels and factors", () => {
  const labels = async (index: string) =>
    [...(await contents(index)).images].map(([path, { row }]) => [path, row.label]);

  it("come from folders where images lie in several", async () => {
    const names = ["cats/1.png", "cats/2.png", "dogs/small/1.png", "loose.png"];
    const { source, index } = await pictureFolder(4, (i) => names[i]);
    await build(source, index);
    expect(await labels(index)).toEqual([
      ["cats/1.png", "cats"],
      ["cats/2.png", "cats"],
      ["dogs/small/1.png", "dogs/small"],
      ["loose.png", null],
    ]);
  });

  it("come from a CSV's columns, in its order, from the folder that --root names", async () => {
    const { source, index } = await pictureFolder(4);
    const list = join(index, "../lists/list.csv");
    await mkdir(dirname(list));
    await writeFile(
      list,
      '\ufeffcolour,path,label\r\n"red, dark",02.png,apple\r\n,./00.png,\r\ngreen,sub/../01.png,"a ""pear"""\r\n',
    );
    const root = source;
    await buildIndex(model, await scanSource(list, { root }), index);
    const { images } = await contents(index);
    expect([...images].map(([path, { row }]) => [path, row.label, row.factors])).toEqual([
      ["02.png", "apple", { colour: "red, dark" }],
      ["00.png", null, { colour: null }],
      ["01.png", 'a "pear"', { colour: "green" }],
    ]);
  });

  it("come from the lines of a JSONL, numbers as numbers", async () => {
    const { source, index } = await pictureFolder(3);
    const rows = [
      { path: "01.png", label: "two", factors: { count: 2, colour: null, kind: "a" }, other: [1] },
      { path: "00.png" },
    ];
    const list = join(source, "list.jsonl");
    await writeFile(list, `\ufeff${rows.map((row) => `${JSON.stringify(row)}\n\n`).join("")}`);
    await build(list, index);
    const { images } = await contents(index);
    expect([...images].map(([path, { row }]) => [path, row.label, row.factors])).toEqual([
      ["01.png", "two", { count: 2, colour: null, kind: "a" }],
      ["00.png", null, {}],
    ]);
  });

  it("come from scenes.jsonl in a corpus that `demo` drew; its masks and overview are no images", async () => {
    const index = join(await temporary(), "index");
    expect(await build(corpus, index)).toMatchObject({ images: IMAGES, rejected: 0 });
    const { images } = await contents(index);
    const rows = await readCorpus(corpus);
    expect(rows.map(({ path, label, factors }) => [path, label, factors])).toEqual(
      [...images].map(([path, { row }]) => [path, row.label, row.factors]),
    );
    expect(rows.some(({ factors }) => typeof factors.count === "number")).toBe(true);
  });
});

describe("files that are no images", () => {
  /** Ten pictures, and four files that look like one. */
  async function withBadFiles() {
    const { source, index } = await pictureFolder(10);
    await writeFile(join(source, "03-text.png"), "These are the voyages");
    const jpeg = await sharp(pictures[0]).resize(200, 200).jpeg().toBuffer();
    await writeFile(join(source, "05-cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
    await writeFile(join(source, "07-empty.webp"), "");
    await symlink("nowhere.png", join(source, "09-link.png"));
    return { source, index };
  }
  const CODES = {
    "03-text.png": "IMAGE_UNREADABLE",
    "05-cut.jpg": "IMAGE_UNREADABLE",
    "07-empty.webp": "IMAGE_UNREADABLE",
  };

  it("are listed in rejected.jsonl, each with its code and reason, and stop nothing", async () => {
    const { source, index } = await withBadFiles();
    const result = await build(source, index, { shardSize: 4, batch: 3 });
    expect(result).toMatchObject({ images: 10, rejected: 3, added: 13, shards: 4 });
    // A link that leads nowhere now is no verdict: it may lead somewhere tomorrow.
    expect(result.unread).toMatchObject([{ path: "09-link.png", code: "INPUT_NOT_FOUND" }]);
    const { index: opened, images } = await contents(index);
    expect(images.size).toBe(10);
    const text = await Promise.all(
      opened.manifest.shards.map(({ name }) =>
        readFile(join(index, "shards", name, "rejected.jsonl"), "utf8"),
      ),
    );
    const rows = text
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
    expect(rows).toEqual(opened.rejected);
    expect(Object.fromEntries(rows.map(({ path, code }) => [path, code]))).toEqual(CODES);
    for (const { path, message } of rows) expect(message).toContain(path);
    // Rejected once, they are not tried again and again.
    expect(await build(source, index)).toMatchObject({ added: 0, changed: [], removed: [] });
  });

  it("do not move or change what is held of the images between them", async () => {
    const { source, index } = await withBadFiles();
    const clean = await pictureFolder(10);
    await build(source, index, { shardSize: 4 });
    await build(clean.source, clean.index);
    expect((await contents(index)).images).toEqual((await contents(clean.index)).images);
  });

  it("are taken in once they have become images", async () => {
    const { source, index } = await withBadFiles();
    await build(source, index);
    await cp(pictures[20], join(source, "03-text.png"));
    await cp(pictures[21], join(source, "nowhere.png"));
    const result = await build(source, index);
    expect(result).toMatchObject({ added: 3, changed: [], images: 13, rejected: 2, unread: [] });
    const fresh = join(index, "../fresh");
    await build(source, fresh);
    await expectSameImages(index, fresh);
  });

  it("make a shard without an image when there is none but them", async () => {
    const { source, index } = await pictureFolder(3);
    await writeFile(join(source, "a.png"), "a");
    await writeFile(join(source, "b.png"), "b");
    await writeFile(join(source, "c.jpg"), "c");
    await writeFile(join(source, "list.csv"), "path\na.png\nb.png\n00.png\n");
    expect(await build(join(source, "list.csv"), index, { shardSize: 2 })).toMatchObject({
      images: 1,
      rejected: 2,
      shards: 2,
    });
    expectMoments(await contents(index));
  });
});

describe("a source that changes", () => {
  it("has its new files added: what was indexed before keeps its bytes, and its place", async () => {
    const { source, index } = await pictureFolder(10, (i) => `b${i}.png`);
    await build(source, index, { shardSize: 4 });
    const before = await tree(join(index, "shards"));
    const inodes = async () =>
      Promise.all(Object.keys(before).map(async (name) => (await stat(join(index, "shards", name))).ino));
    const [inodesBefore, first] = [await inodes(), await contents(index)];
    for (const [i, picture] of pictures.slice(10, 15).entries()) await cp(picture, join(source, `a${i}.png`));
    expect(await build(source, index, { shardSize: 4 })).toMatchObject({ added: 5, images: 15, shards: 5 });
    expect(await tree(join(index, "shards"))).toMatchObject(before);
    expect(await inodes()).toEqual(inodesBefore);
    const second = await contents(index);
    expect([...second.images].slice(0, 10)).toEqual([...first.images]);
    const fresh = join(index, "../fresh");
    await build(source, fresh);
    await expectSameImages(index, fresh);
  });

  it("has changed and removed files reported, and left as they were until prune is asked for", async () => {
    const { source, index } = await pictureFolder(12);
    await build(source, index, { shardSize: 5 });
    const before = await tree(index);
    await appendFile(join(source, "04.png"), "more");
    await unlink(join(source, "07.png"));
    expect(await build(source, index)).toMatchObject({
      added: 0,
      images: 12,
      changed: ["04.png"],
      removed: ["07.png"],
      pruned: false,
    });
    expect(await tree(index)).toEqual(before);
  });

  it.each([
    ["float16", { shardSize: 6 }],
    ["float32 with MLP terms", { shardSize: 6, dtype: "float32", mlps: true }],
  ] as const)("is, pruned, what an index made afresh would be, image for image: %s", async (_, options) => {
    const { source, index } = await pictureFolder(23);
    await writeFile(join(source, "06-text.png"), "no image");
    await build(source, index, options);
    // The third shard is emptied, the first two lose an image and a rejected file, the last stays as it is.
    const last = (await readIndex(index)).manifest.shards[3];
    const gone = ["03.png", "06-text.png", ...[11, 12, 13, 14, 15, 16].map((i) => `${i}.png`)];
    for (const name of gone) await unlink(join(source, name));
    await cp(pictures[30], join(source, "01.png"));
    await cp(pictures[31], join(source, "new.png"));
    const result = await build(source, index, { ...options, prune: true });
    expect(result).toMatchObject({ changed: ["01.png"], added: 2, images: 17, rejected: 0, pruned: true });
    expect(result.removed).toEqual(gone);
    const fresh = join(index, "../fresh");
    await build(source, fresh, options);
    await expectSameImages(index, fresh);
    if ("mlps" in options) expect(await mlpTerms(index)).toEqual(await mlpTerms(fresh));
    const names = (await readIndex(index)).manifest.shards.map(({ name }) => name);
    expect(names).toContain(last.name);
    expect((await readdir(join(index, "shards"))).sort()).toEqual([...names].sort());
    expect(await checkIndex(index)).toMatchObject({ corrupt: [], changed: [], missing: [] });
    expect(await build(source, index, options)).toMatchObject({ added: 0, changed: [], removed: [] });
  });

  it("may change its labels and factors alone: that counts as a change", async () => {
    const { source, index } = await pictureFolder(4);
    const list = join(source, "list.csv");
    await writeFile(list, "path,label,kind\n00.png,a,x\n01.png,b,y\n02.png,c,z\n");
    await build(list, index);
    await writeFile(list, "path,label,kind\n00.png,a,x\n01.png,B,y\n02.png,c,Z\n");
    expect((await build(list, index)).changed).toEqual(["01.png", "02.png"]);
    await build(list, index, { prune: true });
    const fresh = join(index, "../fresh");
    await build(list, fresh);
    await expectSameImages(index, fresh);
  });
});

/** The MLP terms of every image, by path. */
async function mlpTerms(folder: string): Promise<Map<string, number[]>> {
  const terms = new Map<string, number[]>();
  const { manifest, images } = await readIndex(folder);
  let first = 0;
  for (const shard of manifest.shards) {
    const { data } = await readNpy(join(folder, "shards", shard.name, "mlps.npy"));
    const width = data.length / shard.images;
    for (let i = 0; i < shard.images; i++) {
      const own = Array.from(data as Uint16Array).slice(i * width, (i + 1) * width);
      terms.set(images[first + i].path, own);
    }
    first += shard.images;
  }
  return terms;
}

describe("an index stays one thing", () => {
  /** Tries to index into an index of five images that differs, and expects a refusal that changes nothing. */
  async function expectRefused(
    attempt: (source: string, index: string) => Promise<unknown>,
    ...naming: string[]
  ): Promise<void> {
    const { source, index } = await pictureFolder(5);
    await build(source, index);
    await cp(pictures[9], join(source, "new.png"));
    const before = await tree(index);
    const refused = attempt(source, index);
    await expect(refused).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
    for (const word of naming) await expect(refused).rejects.toThrow(word);
    expect(await tree(index)).toEqual(before);
  }

  it("of one model: another one is refused, to add to it and to ask about it", async () => {
    const folder = join(await temporary(), "random");
    const shape = { imageSize: 64, patchSize: 8, width: 128, layers: 4, headDim: 32, embedDim: 128 };
    await writeRandomCheckpoint(folder, {
      ...shape,
      text: { width: 16, heads: 2, layers: 1, vocabSize: 50 },
    });
    const other = await loadClipModel(folder, "random");
    onTestFinished(() => other.release());
    const attempt = async (source: string, index: string) =>
      buildIndex(other, await scanSource(source), index);
    await expectRefused(attempt, DEFAULT_MODEL, "random", "weights");
    const { source, index } = await pictureFolder(2);
    await build(source, index);
    const opened = await readIndex(index);
    await requireModelOf(opened, model);
    await expect(requireModelOf(opened, other)).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
  });

  it("of one precision: int8 numbers do not stand beside float32's", async () => {
    const { folder } = await locateModel(DEFAULT_MODEL);
    const int8 = await loadClipModel(folder, DEFAULT_MODEL, { precision: "int8" });
    onTestFinished(() => int8.release());
    const attempt = async (source: string, index: string) =>
      buildIndex(int8, await scanSource(source), index);
    await expectRefused(attempt, "precision", "int8");
  });

  it("of one form: another dtype, or MLP terms, are refused", async () => {
    await expectRefused((source, index) => build(source, index, { dtype: "float32" }), "dtype");
    await expectRefused((source, index) => build(source, index, { mlps: true }), "mlps");
    // What is not said need not be said again.
    const { source, index } = await pictureFolder(3);
    await build(source, index, { dtype: "float32", mlps: true });
    expect(await build(source, index)).toMatchObject({ images: 3, added: 0 });
  });

  it("of one set of images: another folder of the same names is refused", async () => {
    await expectRefused(async (source, index) => {
      for (const [i, picture] of pictures.slice(20, 25).entries()) {
        await mkdir(`${source}-2`, { recursive: true });
        await cp(picture, join(`${source}-2`, `0${i}.png`));
      }
      return build(`${source}-2`, index);
    }, "5 have other bytes");
  });

  it("of one preprocessing: images turned upright do not stand beside others", async () => {
    await expectRefused((source, index) => build(source, index, { exif: false }), "exif");
  });

  it("of one owner: a folder with other files is left alone", async () => {
    const { source, index } = await pictureFolder(3);
    await mkdir(index);
    await writeFile(join(index, "thesis.txt"), "years of work");
    await expect(build(source, index)).rejects.toMatchObject({ code: "INDEX_INVALID" });
    expect(await tree(index)).toMatchObject({ "thesis.txt": expect.any(String) });
    expect(Object.keys(await tree(index)).filter((name) => !name.startsWith("."))).toEqual(["thesis.txt"]);
  });

  it("though two runs write it at once: one does the work, the other finds it done", async () => {
    const { source, index } = await pictureFolder(30);
    const fresh = join(index, "../fresh");
    await build(source, fresh, { shardSize: 8 });
    const results = await Promise.all([1, 2].map(() => build(source, index, { shardSize: 8 })));
    expect(results.map(({ added }) => added).sort()).toEqual([0, 30]);
    expect(results.map(({ images }) => images)).toEqual([30, 30]);
    expect(await tree(index)).toEqual(await tree(fresh));
  });
});

describe("what an earlier run left", () => {
  /** Stops an indexing run once `after` images are done. */
  async function stopAfter(source: string, index: string, after: number, options: BuildOptions = {}) {
    const controller = new AbortController();
    const report = (event: ProgressEvent) => {
      if (event.type === "advance" && event.done >= after) controller.abort();
    };
    const stopped = build(source, index, { ...options, report, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
  }

  it("is gone on from: no image that was computed is opened again", async () => {
    const { source, index } = await pictureFolder(30);
    const fresh = join(index, "../fresh");
    const options = { shardSize: 20, batch: 4 };
    await build(source, fresh, options);
    await stopAfter(source, index, 8, options);
    expect((await readIndex(index)).images).toEqual([]);
    // Same size, so still the same file as far as anyone can tell, but one that would be rejected.
    for (const name of ["00.png", "07.png"]) {
      await writeFile(join(source, name), Buffer.alloc((await stat(join(source, name))).size));
    }
    const done: number[] = [];
    const report = (event: ProgressEvent) => {
      if (event.type === "advance") done.push(event.done);
    };
    expect(await build(source, index, { ...options, report })).toMatchObject({ added: 30, rejected: 0 });
    expect(done.slice(0, 2)).toEqual([4, 8]);
    expect(await tree(index)).toEqual(await tree(fresh));
  });

  it("is not used when the work has become another: a label, an image or a shard's size", async () => {
    const { source, index } = await pictureFolder(14);
    const fresh = join(index, "../fresh");
    await stopAfter(source, index, 8, { batch: 4 });
    await cp(pictures[30], join(source, "02.png"));
    await build(source, index, { batch: 4 });
    await build(source, fresh);
    expect(await tree(index)).toEqual(await tree(fresh));
  });

  it("may be longer than what fits into one buffer: whole batches at its start still count", async () => {
    const { source, index } = await pictureFolder(14);
    const fresh = join(index, "../fresh");
    await build(source, fresh, { batch: 4 });
    await stopAfter(source, index, 8, { batch: 4 });
    await truncate(join(index, "journal/current"), 3 * 2 ** 30);
    await writeFile(join(source, "00.png"), Buffer.alloc((await stat(join(source, "00.png"))).size));
    await build(source, index, { batch: 4 });
    expect(await tree(index)).toEqual(await tree(fresh));
  });

  it("is put away: half-written files, unlisted shards and a finished journal take no room for ever", async () => {
    const { source, index } = await pictureFolder(6);
    await build(source, index, { shardSize: 3 });
    const before = await tree(index);
    await cp(join(index, "shards/000000"), join(index, "shards/000007"), { recursive: true });
    await cp(join(index, "shards/000000"), join(index, "shards/000002.part"), { recursive: true });
    await mkdir(join(index, "journal"), { recursive: true });
    await writeFile(join(index, "journal/current"), "old");
    await writeFile(join(index, "manifest.json.part"), "{");
    expect(await build(source, index)).toMatchObject({ added: 0, shards: 2 });
    expect(await tree(index)).toEqual(before);
  });

  it("may be no more than half a manifest: the folder is still the index's own", async () => {
    const { source, index } = await pictureFolder(3);
    await mkdir(index);
    await writeFile(join(index, "manifest.json.part"), '{"format":');
    expect(await build(source, index)).toMatchObject({ images: 3 });
    expect(Object.keys(await tree(index))).not.toContain("manifest.json.part");
  });
});

describe("a damaged shard", () => {
  let whole: { source: string; index: string };
  beforeAll(async () => {
    const folder = await mkdtemp(join(scratch, "shards-"));
    whole = { source: join(folder, "pictures"), index: join(folder, "index") };
    await mkdir(whole.source);
    for (const [i, picture] of pictures.slice(0, 15).entries()) {
      await cp(picture, join(whole.source, `${String(i).padStart(2, "0")}.png`));
    }
    await build(whole.source, whole.index, { shardSize: 5 });
  });

  /** A copy of an index of three shards; its pictures are shared, and must stay. */
  async function threeShards() {
    const index = join(await temporary(), "index");
    await cp(whole.index, index, { recursive: true });
    const file = (name: string) => join(index, "shards/000001", name);
    return { source: whole.source, index, fresh: whole.index, file };
  }

  /** Changes one byte of a file, in place. */
  async function flip(path: string, at: number): Promise<void> {
    const handle = await open(path, "r+");
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.of(byte[0] ^ 1), 0, 1, at);
    await handle.close();
  }

  it.each([
    ["a file that is gone", (path: string) => unlink(path), "scalars.npy"],
    ["a file that was cut", (path: string) => truncate(path, 1000), "heads.npy"],
    ["a file that has grown", (path: string) => appendFile(path, "x"), "embedding.npy"],
    ["a header that says something else", (path: string) => flip(path, 60), "moments.npy"],
    ["a row with a letter changed", (path: string) => flip(path, 40), "images.jsonl"],
  ])("with %s is left out with a warning, and made anew by the next run", async (_, damage, name) => {
    const { source, index, fresh, file } = await threeShards();
    await damage(file(name));
    const warnings: ProgressEvent[] = [];
    const opened = await readIndex(index, { report: (event) => void warnings.push(event) });
    expect(warnings).toEqual([
      { type: "warning", code: "INDEX_CORRUPT", message: expect.stringContaining("000001") },
    ]);
    const others = [...(await contents(fresh)).images].filter((_entry, i) => i < 5 || i >= 10);
    expect(opened.images).toEqual(others.map(([, { row }]) => row));
    expect([...(await opened.embeddings())]).toEqual(others.flatMap(([, { embedding }]) => embedding));
    const { headDim } = model.geometry;
    expect([...(await opened.head(0, 0))]).toEqual(others.flatMap(([, { z }]) => z.slice(0, headDim)));
    const events: ProgressEvent[] = [];
    const result = await build(source, index, { report: (event) => void events.push(event) });
    expect(result).toMatchObject({ images: 15, added: 5, repaired: ["000001"] });
    expect(events).toContainEqual(expect.objectContaining({ type: "warning", code: "INDEX_CORRUPT" }));
    await expectSameImages(index, fresh);
    expect(await checkIndex(index)).toMatchObject({ corrupt: [], changed: [], missing: [] });
    expect(await build(source, index)).toMatchObject({ added: 0, repaired: [] });
  });

  it("whose numbers have changed is found by a check, never copied by prune, but computed anew", async () => {
    const { source, index } = await pictureFolder(10);
    const options = { dtype: "float32", mlps: true, shardSize: 5 } as const;
    await build(source, index, options);
    await flip(join(index, "shards/000001/heads.npy"), 500);
    await flip(join(index, "shards/000001/mlps.npy"), 500);
    expect((await checkIndex(index)).corrupt).toEqual(["shards/000001/heads.npy", "shards/000001/mlps.npy"]);
    await unlink(join(source, "07.png"));
    const result = await build(source, index, { prune: true });
    expect(result).toMatchObject({ images: 9, removed: ["07.png"], repaired: ["000001"], added: 4 });
    const fresh = join(index, "../fresh");
    await build(source, fresh, options);
    await expectSameImages(index, fresh);
    expect(await mlpTerms(index)).toEqual(await mlpTerms(fresh));
    expect((await checkIndex(index)).corrupt).toEqual([]);
  });

  it("alone makes an index that cannot be opened, and that the next run makes anew", async () => {
    const { source, index } = await pictureFolder(5);
    await build(source, index);
    const before = await tree(index);
    await rm(join(index, "shards/000000"), { recursive: true });
    await expect(readIndex(index)).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
    expect(await build(source, index)).toMatchObject({ added: 5, repaired: ["000000"] });
    expect(await tree(index)).toEqual(before);
  });

  it("and a changed or missing image are told apart by a check", async () => {
    const { source, index } = await pictureFolder(10);
    await build(source, index, { shardSize: 5 });
    await flip(join(index, "shards/000001/embedding.npy"), 1000);
    await flip(join(source, "03.png"), 200);
    await unlink(join(source, "07.png"));
    expect(await checkIndex(index)).toMatchObject({
      images: 10,
      shards: 2,
      corrupt: ["shards/000001/embedding.npy"],
      changed: ["03.png"],
      missing: ["07.png"],
    });
  });

  it("is not made in the shape of a damaged manifest: sizes must be the model's", async () => {
    const { source, index } = await threeShards();
    const path = join(index, "manifest.json");
    const text = await readFile(path, "utf8");
    const { headDim } = model.geometry;
    await writeFile(path, text.replace(`"headDim": ${headDim}`, `"headDim": ${headDim + 4}`));
    await expect(build(source, index)).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
    await writeFile(path, text);
    expect(await build(source, index)).toMatchObject({ images: 15, repaired: [] });
  });
});

describe("a list or folder that cannot be indexed is refused", () => {
  const refused = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });

  it.each([
    ["a CSV without a path column", "list.csv", "file,label\na.png,x\n", /row 1: no path/],
    ["a CSV row without a path", "list.csv", "path,label\na.png,x\n,y\n", /row 2: no path/],
    ["a CSV row with too many fields", "list.csv", "path\na.png\nb.png,x\n", /line 3/],
    ["a CSV whose quotes do not end", "list.csv", 'path\na.png\n"b.png\n', /[Qq]uote/],
    ["a path named twice", "list.csv", "path\na.png\nb.png\na.png\n", /row 3: a\.png/],
    ["a path named twice in other words", "list.csv", "path\na.png\nb/../a.png\n", /row 2: a\.png/],
    ["a path that leaves the root", "list.csv", "path\na.png\n../a.png\n", /row 2: \.\.\/a\.png/],
    ["a path that leaves it in the end", "list.csv", "path\na/../../b.png\n", /row 1: a\/\.\.\/\.\.\/b\.png/],
    ["an absolute path elsewhere", "list.csv", "path\n/etc/a.png\n", /row 1: \/etc\/a\.png/],
    ["the root itself", "list.csv", "path\n.\n", /row 1/],
    ["a line that is no JSON", "list.jsonl", '{"path":"a.png"}\n\n{"path":\n', /line 3/],
    ["a line without a path", "list.jsonl", '{"path":"a.png"}\n{"label":"a"}\n', /line 2.*path/s],
    ["a line with an empty path", "list.jsonl", '{"path":""}\n', /line 1.*path/s],
    ["a label that is no text", "list.jsonl", '{"path":"a.png","label":3}\n', /line 1.*label/s],
    ["a factor that is no value", "list.jsonl", '{"path":"a.png","factors":{"f":[1]}}\n', /line 1.*factors/s],
    [
      "a path named twice in a JSONL",
      "list.jsonl",
      '{"path":"a.png"}\n\n{"path":"./a.png"}\n',
      /line 3: a\.png/,
    ],
    ["an address", "list.jsonl", '{"path":"https://example.org/a.png"}\n', /line 1: https:.* is an address/],
    ["a file of another kind", "list.md", "a.png\n", /neither a picture, nor a folder, nor a \.csv/],
  ])("%s", async (_, name, text, message) => {
    const list = join(await temporary(), name);
    await writeFile(list, text);
    await expect(scanSource(list)).rejects.toMatchObject(refused("LIST_INVALID", message));
  });

  it.each([
    ["a folder without images", async (folder: string) => writeFile(join(folder, "notes.txt"), "none")],
    ["a folder with a folder named like an image", (folder: string) => mkdir(join(folder, "a.png"))],
    ["a folder with a link to a folder", (folder: string) => symlink(scratch, join(folder, "a.png"))],
  ])("%s", async (_, fill) => {
    const folder = await temporary();
    await fill(folder);
    await expect(scanSource(folder)).rejects.toMatchObject(refused("NO_IMAGES", /no images in/));
  });

  it.each([
    ["list.csv", "path,label\n"],
    ["list.jsonl", "\n"],
  ])("an empty %s", async (name, text) => {
    const list = join(await temporary(), name);
    await writeFile(list, text);
    await expect(scanSource(list)).rejects.toMatchObject(refused("NO_IMAGES", /no images in/));
  });

  it("a source that is not there", async () => {
    await expect(scanSource(join(scratch, "nowhere"))).rejects.toMatchObject(
      refused("INPUT_NOT_FOUND", /nowhere/),
    );
  });

  it("but links to images are followed, and what is listed and missing is left out alone", async () => {
    const { source, index } = await pictureFolder(2);
    await symlink(pictures[5], join(source, "link.png"));
    const list = join(source, "list.csv");
    await writeFile(list, "path\nlink.png\nmissing.png\n01.png\n");
    const missing = [{ path: "missing.png", code: "INPUT_NOT_FOUND", bytes: 0 }];
    expect(await build(list, index)).toMatchObject({ images: 2, rejected: 0, unread: missing });
    const { index: opened, images } = await contents(index);
    expect([...images.keys()]).toEqual(["link.png", "01.png"]);
    expect(opened.unread).toMatchObject(missing);
  });
});

describe("an index that cannot be written", () => {
  it("is refused where a file stands in its place", async () => {
    const { source, index } = await pictureFolder(2);
    await writeFile(index, "a file");
    await expect(build(source, index)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    await expect(build(source, join(index, "below"))).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(await readFile(index, "utf8")).toBe("a file");
  });

  // Whatever is written to /dev/full fails as it does on a full disk.
  it.runIf(LINUX)(
    "for lack of room stays what it was, leaves no file open, and goes on with room",
    async () => {
      const { source, index } = await pictureFolder(8);
      await build(source, index, { shardSize: 4 });
      const before = await contents(index);
      for (const [i, picture] of pictures.slice(20, 26).entries())
        await cp(picture, join(source, `n${i}.png`));
      await symlink("/dev/full", join(index, "manifest.json.part"));
      await expect(build(source, index)).rejects.toMatchObject({ code: "DISK_FULL" });
      expect((await contents(index)).images).toEqual(before.images);
      expect(await openFiles(index)).toEqual([]);
      await rm(join(index, "manifest.json.part"), { force: true });
      expect(await build(source, index)).toMatchObject({ images: 14, added: 6 });
      const fresh = join(index, "../fresh");
      await build(source, fresh);
      await expectSameImages(index, fresh);
    },
  );

  it.runIf(LINUX)("for lack of room from the first byte on is begun again with room", async () => {
    const { source, index } = await pictureFolder(3);
    await mkdir(index);
    await symlink("/dev/full", join(index, "manifest.json.part"));
    await expect(build(source, index)).rejects.toMatchObject({ code: "DISK_FULL" });
    await rm(join(index, "manifest.json.part"), { force: true });
    expect(await build(source, index)).toMatchObject({ images: 3 });
  });
});

/** The files below a folder that this process has open. */
async function openFiles(folder: string): Promise<string[]> {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(links)).filter((path) => path.startsWith(folder));
}
