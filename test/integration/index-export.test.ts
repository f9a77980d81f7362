import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { exportParquet } from "../../src/corpus/export-parquet.ts";
import { exportPrs } from "../../src/corpus/export-prs.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { openShards } from "../../src/corpus/open-shards.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { type FactorValue, scanSource } from "../../src/corpus/source.ts";
import { fromHalf, toHalf } from "../../src/math/half.ts";
import { dot } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents, parseHeads } from "../../src/model/components.ts";
import { decomposeImages } from "../../src/model/decompose-images.ts";
import { denseHeads } from "../../src/model/dense.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { textProbe } from "../../src/model/probe.ts";
import { locateModel } from "../../src/model/registry.ts";
import { type NpyArray, readNpy } from "../../src/support/npy.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";

/** Two shards, the first of more images than are exported at a time. */
const [IMAGES, SHARD] = [40, 36];

let scratch: string;
let model: ClipModel;
/** The same scenes in two indexes: as exact as can be, and as small as can be. */
let exact: Index;
let small: Index;
/** Of a direct decomposition: heads [n, L, H, D], MLP terms [n, L+1, D]. */
const direct = { heads: new Float32Array(0), mlps: new Float32Array(0) };

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "index-export-"));
  const { folder, name } = await locateModel(DEFAULT_MODEL);
  model = await loadClipModel(folder, name);
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(join(scratch, "scenes"), await planCorpus({ split: "demo", size: 64, indices }));
  const source = await scanSource(join(scratch, "scenes"));
  const how = { shardSize: SHARD };
  await buildIndex(model, source, join(scratch, "exact"), { ...how, dtype: "float32", mlps: true });
  await buildIndex(model, source, join(scratch, "small"), how);
  exact = await readIndex(join(scratch, "exact"));
  small = await readIndex(join(scratch, "small"));
  const files = exact.images.map(({ path }) => join(scratch, "scenes", path));
  for await (const { decomposition } of decomposeImages(model, files)) {
    direct.heads = joined(direct.heads, await denseHeads(model.matmul, model.geometry, decomposition!));
    direct.mlps = joined(direct.mlps, decomposition!.mlps);
  }
});
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const joined = (a: Float32Array, b: Float32Array) => Float32Array.from([...a, ...b]);

/** A new folder for what a test exports. */
const target = () => mkdtemp(join(scratch, "out-"));

/** Sums [n, parts, D] over parts, onto [n, D]. */
function addParts(sums: Float64Array, parts: ArrayLike<number>): Float64Array {
  const { embedDim } = model.config;
  const perImage = parts.length / IMAGES;
  for (let i = 0; i < parts.length; i++) {
    sums[Math.floor(i / perImage) * embedDim + (i % embedDim)] += parts[i];
  }
  return sums;
}

describe("the reference scripts' arrays", () => {
  const [attn, mlp] = ["attn", "mlp"].map((array) => `exact_${array}_${DEFAULT_MODEL}.npy`);
  let folder: string;
  const arrays = new Map<string, NpyArray>();
  const floats = (name: string) => arrays.get(name)!.data as Float32Array;
  beforeAll(async () => {
    folder = join(await target(), "new", "folder");
    const written = await exportPrs(exact, model, folder);
    expect(written).toEqual(
      [attn, mlp, "exact_labels.npy", "exact_classes.txt"].map((name) => join(folder, name)),
    );
    expect((await readdir(folder)).sort()).toEqual(written.map((path) => basename(path)).sort());
    for (const path of written.filter((name) => name.endsWith(".npy"))) {
      arrays.set(basename(path), await readNpy(path));
    }
  });

  it("hold what a direct decomposition gives, in the reference's shapes", () => {
    const { layers, heads } = model.geometry;
    const { embedDim } = model.config;
    expect(arrays.get(attn)!.shape).toEqual([IMAGES, layers, heads, embedDim]);
    expect(arrays.get(mlp)!.shape).toEqual([IMAGES, layers + 1, embedDim]);
    expect(relativeError(floats(attn), direct.heads)).toBeLessThan(1e-5);
    // An index keeps MLP terms in float16 whatever its dtype; nothing else may be lost.
    expect(relativeError(floats(mlp), fromHalf(toHalf(direct.mlps)))).toBeLessThan(1e-5);
    expect(relativeError(floats(mlp), direct.mlps)).toBeLessThan(2 ** -11);
  });

  it("sum to the embedding", async () => {
    const embeddings = await exact.embeddings();
    const heads = addParts(new Float64Array(embeddings.length), floats(attn));
    expect(relativeError(addParts(heads.slice(), direct.mlps), embeddings)).toBeLessThan(1e-5);
    expect(relativeError(addParts(heads, floats(mlp)), embeddings)).toBeLessThan(1e-3);
  });

  it("number the labels as classes.txt names them", async () => {
    const { shape, data } = arrays.get("exact_labels.npy")!;
    expect(shape).toEqual([IMAGES]);
    expect(data).toBeInstanceOf(BigInt64Array);
    const classes = (await readFile(join(folder, "exact_classes.txt"), "utf8")).trimEnd().split("\n");
    expect(classes).toEqual([...new Set(classes)].sort());
    const labels = Array.from(data, Number).map((number) => classes[number]);
    expect(labels).toEqual(exact.images.map(({ label }) => label));
  });

  it("come without MLP terms and labels that an index does not have, and hold what float16 keeps", async () => {
    const folder = await target();
    const images = small.images.map((image) => ({ ...image, label: null }));
    const written = await exportPrs({ ...small, images }, model, folder);
    expect(written).toEqual([join(folder, `small_attn_${DEFAULT_MODEL}.npy`)]);
    const { data } = await readNpy(written[0]);
    expect(relativeError(data as Float32Array, direct.heads)).toBeLessThan(1e-3);
  });

  it("number an image without a label −1, and a label of several lines on one", async () => {
    const folder = await target();
    const labels = ["b\r\nc", null, "a"];
    const images = small.images.map((image, i) => ({ ...image, label: labels[i % 3] }));
    await exportPrs({ ...small, images }, model, folder);
    const { data } = await readNpy(join(folder, "small_labels.npy"));
    expect([...data.subarray(0, 4)]).toEqual([1n, -1n, 0n, 1n]);
    expect(await readFile(join(folder, "small_classes.txt"), "utf8")).toBe("a\nb c\n");
  });

  it("have names that are names of files, whatever the model is called", async () => {
    const folder = await target();
    const manifest = { ...small.manifest, model: { ...small.manifest.model, name: "laion/CLIP: B-32" } };
    const written = await exportPrs({ ...small, manifest }, model, folder);
    expect(basename(written[0])).toBe("small_attn_laion-CLIP-B-32.npy");
  });

  it("are counted as they are written", async () => {
    const done: unknown[] = [];
    await exportPrs(small, model, await target(), { report: (event) => done.push(event) });
    const task = "exporting";
    expect(done).toEqual([
      { type: "start", task, unit: "image", total: IMAGES },
      ...[32, 36, 40].map((count) => ({ type: "advance", task, done: count, total: IMAGES })),
      { type: "end", task, done: IMAGES },
    ]);
  });

  it("leave nothing behind when they are stopped, refused or cannot be written", async () => {
    const folder = await target();
    const stop = new AbortController();
    const report = ({ type }: { type: string }) => void (type === "advance" && stop.abort());
    const stopped = exportPrs(exact, model, folder, { report, signal: stop.signal });
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });

    const other = await loadClipModel(goldenPath("gelu-p8/open_clip"));
    await expect(exportPrs(exact, other, folder)).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
    await other.release();

    const wrong = { ...exact, manifest: { ...exact.manifest, dtype: "float16" as const } };
    await expect(exportPrs(wrong, model, folder)).rejects.toMatchObject({ code: "INDEX_CORRUPT" });

    await mkdir(join(folder, mlp));
    await expect(exportPrs(exact, model, folder)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    expect(await readdir(folder)).toEqual([mlp]);
  });
});

/** The reader that the writer brings with it. */
interface ParquetReader {
  asyncBufferFromFile(path: string): Promise<unknown>;
  parquetReadObjects(options: {
    readonly file: unknown;
    readonly utf8: boolean;
  }): Promise<Record<string, unknown>[]>;
  parquetMetadataAsync(file: unknown): Promise<{
    readonly schema: readonly { readonly name: string; readonly type?: string; repetition_type?: string }[];
    readonly key_value_metadata?: readonly { readonly key: string; readonly value: string }[];
  }>;
}

/** The rows of a Parquet file, and each column's type. */
async function readParquet(path: string) {
  const writer = createRequire(import.meta.url).resolve("hyparquet-writer");
  const reader: ParquetReader = await import(pathToFileURL(createRequire(writer).resolve("hyparquet")).href);
  const file = await reader.asyncBufferFromFile(path);
  const { schema, key_value_metadata = [] } = await reader.parquetMetadataAsync(file);
  const types = schema.slice(1).map(({ name, type, repetition_type }) => {
    return [name, `${type}${repetition_type === "OPTIONAL" ? "?" : ""}`];
  });
  const metadata = Object.fromEntries(key_value_metadata.map(({ key, value }) => [key, value]));
  const rows = await reader.parquetReadObjects({ file, utf8: false });
  return { rows, types: Object.fromEntries(types), metadata };
}

describe("the Parquet file", () => {
  it("holds a row for every image, and a column for every factor", async () => {
    const path = join(await target(), "new", "images.parquet");
    await exportParquet(exact, path);
    const { rows, types } = await readParquet(path);
    expect(rows).toEqual(
      exact.images.map(({ factors, bytes, ...image }, row) => ({
        ...{ row, ...image, bytes: BigInt(bytes), ...factors },
      })),
    );
    expect(types).toMatchObject({
      ...{ row: "INT32", width: "INT32", bytes: "INT64", id: "BYTE_ARRAY", label: "BYTE_ARRAY?" },
      ...{ concept: "BYTE_ARRAY?", count: "INT32?", backdrop: "BYTE_ARRAY?" },
    });
    expect(await readdir(join(path, ".."))).toEqual(["images.parquet"]);
  });

  it("gives factors the type of their values, and names of their own", async () => {
    const factors: Record<string, FactorValue>[] = [
      { label: "mine", factor_label: 1, score: 0.5, mixed: 2, none: null, big: 2 ** 31, "": "x", "a.b": "ü" },
      { label: null, factor_label: -3, score: 1, mixed: "two", none: null, big: 1, "": null },
      { toString: 7 },
    ];
    const images = exact.images.slice(0, 3).map((image, i) => ({ ...image, factors: factors[i] }));
    const path = join(await target(), "images.parquet");
    await exportParquet({ ...exact, images }, path);
    const { rows, types } = await readParquet(path);
    const base = ["row", "id", "path", "width", "height", "bytes", "sha256", "label"];
    expect(rows.map((row) => Object.entries(row).filter(([name]) => !base.includes(name)))).toEqual(
      [
        ["mine", 1, 0.5, "2", null, 2 ** 31, "x", "ü", null],
        [null, -3, 1, "two", null, 1, null, null, null],
        [null, null, null, null, null, null, null, null, 7],
      ].map((row) => row.map((value, i) => [Object.keys(types)[base.length + i], value])),
    );
    expect(Object.entries(types).slice(base.length)).toEqual([
      ["factor_factor_label", "BYTE_ARRAY?"],
      ["factor_label", "INT32?"],
      ["score", "DOUBLE?"],
      ["mixed", "BYTE_ARRAY?"],
      ["none", "BYTE_ARRAY?"],
      ["big", "DOUBLE?"],
      ["factor_", "BYTE_ARRAY?"],
      ["a.b", "BYTE_ARRAY?"],
      ["toString", "INT32?"],
    ]);
  });

  it("is there, with its columns, when there is no image", async () => {
    const path = join(await target(), "images.parquet");
    await exportParquet({ ...exact, images: [] }, path);
    const { rows, types } = await readParquet(path);
    expect(rows).toEqual([]);
    expect(Object.keys(types)).toContain("sha256");
  });

  it("holds vectors, layouts and pictures where they are asked for, the same from an index of any size", async () => {
    const { geometry } = model;
    const heads = parseHeads(model, "L1.H0,L3.H2").heads;
    const cat = await textProbe(model, "a cat");
    const texts = new Map([
      ["A cat?", cat],
      ["a cat!", cat.map((value) => -value)],
      ["猫", cat],
    ]);
    const asked = { embedding: true, heads, geometry, texts, layout: true, thumbnails: 32 };
    const folder = await target();
    await exportParquet(exact, join(folder, "a.parquet"), asked);
    await exportParquet(await openShards(exact.folder), join(folder, "b.parquet"), asked);
    expect(
      (await readFile(join(folder, "a.parquet"))).equals(await readFile(join(folder, "b.parquet"))),
    ).toBe(true);
    const { rows, types, metadata } = await readParquet(join(folder, "a.parquet"));
    expect(rows).toHaveLength(IMAGES);
    expect(rows.map(({ sha256 }) => sha256)).toEqual(exact.images.map(({ sha256 }) => sha256));
    const { embedDim, headDim } = exact.manifest;
    const embeddings = await exact.embeddings();
    expect(rows.flatMap(({ embedding }) => embedding)).toEqual([...embeddings]);
    const search = createSearch(exact, geometry, model.matmul);
    const everything = parseComponents("all,mlps,embed", geometry);
    const [cosine] = await search.exactScores(cat, everything, [37]);
    expect(rows[37].score_a_cat).toBeCloseTo(cosine, 5);
    expect(rows.map(({ score_a_cat_2, score_猫 }) => [score_a_cat_2, score_猫])).toEqual(
      rows.map(({ score_a_cat }) => [-(score_a_cat as number), score_a_cat]),
    );
    expect(JSON.parse(metadata["clip-interpret"])).toEqual({
      texts: { score_a_cat: "A cat?", score_a_cat_2: "a cat!", score_猫: "猫" },
    });
    // Dot products of a head's vectors are those of what it wrote.
    const written = await search.contributions({ heads: [heads[1]], mlps: [] }, [0, 37]);
    const [one, other] = [written.subarray(0, embedDim), written.subarray(embedDim)];
    const [a, b] = [0, 37].map((row) => rows[row].L3_H2 as number[]);
    expect(a.length).toBeLessThanOrEqual(headDim + 3);
    expect(dot(a, b)).toBeCloseTo(dot(one, other), 6);
    expect(dot(a, a)).toBeCloseTo(dot(one, one), 6);
    const places = rows.map((row) => [row.embedding_x, row.embedding_y, row.L1_H0_x, row.L3_H2_y]);
    expect(places.flat().every(Number.isFinite)).toBe(true);
    expect(new Set(places.map(String)).size).toBe(IMAGES);
    const { bytes, path } = rows[5].image as { bytes: Uint8Array; path: string };
    expect(path).toBe(exact.images[5].path);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "png", width: 32, height: 32 });
    expect(types).toMatchObject({ element: "FLOAT", embedding_x: "DOUBLE?", bytes: "BYTE_ARRAY?" });
  });

  it("says which pictures are gone, and has none of them", async () => {
    const warnings: string[] = [];
    const manifest = { ...exact.manifest, root: join(scratch, "nowhere") };
    const path = join(await target(), "images.parquet");
    const report = (event: ProgressEvent) => void (event.type === "warning" && warnings.push(event.code));
    await exportParquet({ ...exact, manifest }, path, { thumbnails: 32, report });
    const { rows } = await readParquet(path);
    expect(rows.every(({ image }) => !image)).toBe(true);
    expect(warnings).toEqual(["IMAGES_MISSING"]);
  });

  it("leaves nothing behind where it cannot be written", async () => {
    const folder = await target();
    await writeFile(join(folder, "file"), "mine");
    await mkdir(join(folder, "images.parquet"));
    for (const path of [join(folder, "file", "images.parquet"), join(folder, "images.parquet")]) {
      await expect(exportParquet(exact, path)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
    }
    expect((await readdir(folder)).sort()).toEqual(["file", "images.parquet"]);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
  });
});
