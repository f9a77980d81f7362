import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  describeFromWeights,
  type FromWeightsOptions,
  spanFromWeights,
} from "../../src/analysis/from-weights/from-weights.ts";
import { writeDirections } from "../../src/analysis/from-weights/write-directions.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { dot, unitRows } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { singularDirections } from "../../src/model/singular-directions.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import { readJson } from "../../src/support/files.ts";
import { readFloatNpy } from "../../src/support/npy.ts";
import { hashPool, loadPool, type TextPool } from "../../src/text/pool.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";

const IMAGES = 40;
let scratch: string;
let model: ClipModel;
let index: Index;
let pool: TextPool;
let texts: Float64Array;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "from-weights-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 64 }));
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  await buildIndex(model, await scanSource(corpus), join(scratch, "index"));
  index = await readIndex(join(scratch, "index"));
  const some = (await loadPool("emoji")).texts.filter((_, i) => i % 4 === 0);
  pool = { name: "some", hash: hashPool(some), texts: some };
  const cacheFolder = join(scratch, "texts");
  const embedded = await embedTexts(
    model,
    some.map(({ text }) => text),
    { cacheFolder },
  );
  texts = unitRows(embedded, model.config.embedDim);
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const heads = (set: string) => parseComponents(set, model.geometry);
const described = (options: Parameters<typeof describeFromWeights>[2] = {}) =>
  describeFromWeights(model, pool, { cacheFolder: join(scratch, "texts"), draws: 20, ...options });

describe("heads from weights", () => {
  it("writes the directions as arrays: value, write and read of each, in the order that it names", async () => {
    const folder = join(scratch, "directions");
    await writeDirections(model, heads("L3.H1,L0.H2"), folder);
    expect(await readJson(join(folder, "heads.json"))).toEqual(["L0.H2", "L3.H1"]);
    const [values, writes, reads] = await Promise.all([
      readFloatNpy(join(folder, "singular_values.npy"), 2),
      readFloatNpy(join(folder, "writes.npy"), 3),
      readFloatNpy(join(folder, "reads.npy"), 3),
    ]);
    expect([values.shape, writes.shape, reads.shape]).toEqual([
      [2, 32],
      [2, 32, 128],
      [2, 32, 128],
    ]);
    const own = await singularDirections(model)(3, 1);
    expect(values.data[32]).toBeCloseTo(own.values[0], 5);
    expect(dot(writes.data, own.writes.slice(0, 128), 32 * 128)).toBeCloseTo(1, 5);
    expect(dot(reads.data, own.reads().slice(0, 128), 32 * 128)).toBeCloseTo(1, 5);
  });

  it("without an image: every head, its singular values, and directions with both ends in texts", async () => {
    const found = await described({ set: heads("last2"), directions: 3 });
    expect(found.heads.map(({ name }) => name)).toEqual(
      Array.from({ length: 8 }, (_, i) => `L${2 + Math.floor(i / 4)}.H${i % 4}`),
    );
    expect(found).toMatchObject({ index: null, weighting: "singular value", textsPerEnd: 5, coherence: 0.3 });
    for (const head of found.heads) {
      expect(head.singularValues).toHaveLength(32);
      expect([...head.singularValues].sort((a, b) => b - a)).toEqual(head.singularValues);
      expect(head.directions.map(({ direction }) => direction)).toEqual([0, 1, 2]);
      for (const { ends, varianceShare, share, singularValue, direction } of head.directions) {
        expect(ends[0].cosine).toBeGreaterThanOrEqual(ends[1].cosine);
        expect(ends[0].texts[0].text).toBe(pool.texts[ends[0].texts[0].index].text);
        expect(varianceShare).toBeNull();
        expect(singularValue).toBe(head.singularValues[direction]);
        expect(share).toBeCloseTo(singularValue ** 2 / dot(head.singularValues, head.singularValues), 12);
      }
      const weights = head.texts.map(({ weight }) => weight);
      expect([...weights].sort((a, b) => b - a)).toEqual(weights);
    }
    expect(found.chance?.draws).toBe(20);
    expect(found.chance!.high).toBeGreaterThan(found.chance!.mean);
    const best = found.heads.flatMap(({ directions }) => directions.map(({ ends }) => ends[0].cosine));
    // Trained heads write along what texts say; directions at random do not.
    expect(best.filter((cosine) => cosine > found.chance!.high).length / best.length).toBeGreaterThan(0.8);
  });

  it("a head that can write one text alone is described by that text, at the end that fits", async () => {
    const [text, D] = [77, model.config.embedDim];
    const mean = new Float64Array(D);
    for (const [at, value] of texts.entries()) mean[at % D] += value / pool.texts.length;
    const M = Float32Array.from(model.geometry.M);
    const from = (3 * 4 + 1) * 32 * D;
    for (let row = 0; row < 32; row++)
      for (let d = 0; d < D; d++)
        M[from + row * D + d] = (row % 2 === 0 ? -1 : 1) * (texts[text * D + d] - mean[d]) * (1 + row);
    const planted = { ...model, geometry: { ...model.geometry, M } };
    const [head] = await spanFromWeights(planted, texts, { set: heads("L3.H1"), texts: 1 });
    expect(head.directions).toHaveLength(1);
    const [{ ends, share, write }] = head.directions;
    expect(share).toBeCloseTo(1, 9);
    expect(ends[0].selected).toEqual([text]);
    expect(ends[0].cosine).toBeCloseTo(1, 6);
    expect(dot(write, texts, 0, text * D, D)).toBeGreaterThan(0);
    expect(head.texts[0]).toMatchObject({ index: text });
  });

  it("with an index, directions come by the variance that its images give them", async () => {
    const options: FromWeightsOptions = { set: heads("L1.H2,L3.H1"), directions: 32, index };
    const spanned = await spanFromWeights(model, texts, options);
    const search = createSearch(index, model.geometry, model.matmul);
    const rows = Array.from({ length: IMAGES }, (_, i) => i);
    const D = model.config.embedDim;
    for (const { layer, head, directions } of spanned) {
      const set = { heads: [{ layer, head, weight: 1 }], mlps: [] };
      const written = await search.contributions(set, rows);
      const shares = directions.map(({ write }) => variance(rows.map((row) => dot(written, write, row * D))));
      const each = Array.from({ length: D }, (_, d) => variance(rows.map((row) => written[row * D + d])));
      const total = each.reduce((sum, value) => sum + value, 0);
      for (const [i, { varianceShare }] of directions.entries())
        expect(varianceShare).toBeCloseTo(shares[i] / total, 3);
      const order = directions.map(({ varianceShare }) => varianceShare!);
      expect([...order].sort((a, b) => b - a)).toEqual(order);
      expect(order.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 1);
    }
    const found = await described({ ...options, directions: 2 });
    expect(found).toMatchObject({ weighting: "variance", index: { images: IMAGES } });
  });

  it("asks for two texts, and stops when it is told to", async () => {
    const one = texts.subarray(0, model.config.embedDim);
    await expect(spanFromWeights(model, one)).rejects.toMatchObject({ code: "POOL_INVALID" });
    const signal = AbortSignal.abort();
    await expect(spanFromWeights(model, texts, { signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
