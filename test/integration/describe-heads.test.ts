import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spanArrays } from "../../src/analysis/textspan/arrays.ts";
import { headContributions } from "../../src/analysis/textspan/contributions.ts";
import { type DescribeOptions, describeHeads } from "../../src/analysis/textspan/describe-heads.ts";
import { resampleDescriptions } from "../../src/analysis/textspan/resample-descriptions.ts";
import { rowSpace } from "../../src/analysis/textspan/row-space.ts";
import { averageOverlap, dealBlocks } from "../../src/analysis/textspan/stability.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { unitRows } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { imageScales } from "../../src/model/head-space.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import { createAlgebra } from "../../src/onnx/algebra.ts";
import { openNodeSession } from "../../src/onnx/node-session.ts";
import { createNpyWriter, openNpyRows } from "../../src/support/npy-stream.ts";
import { hashPool, loadPool, type TextPool } from "../../src/text/pool.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { relativeError } from "../support/compare.ts";
import { denseTextspan } from "../support/dense-textspan.ts";

const IMAGES = 160;
let scratch: string;
let model: ClipModel;
let index: Index;
let pool: TextPool;
let embeddings: Float32Array;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "describe-heads-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 64 }));
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  await buildIndex(model, await scanSource(corpus), join(scratch, "index"), { mlps: true, shardSize: 60 });
  index = await readIndex(join(scratch, "index"));
  // Every fourth text: quick, and no two spellings of one thing beside each other.
  const texts = (await loadPool("emoji")).texts.filter((_, i) => i % 4 === 0);
  pool = { name: "some", hash: hashPool(texts), texts };
  embeddings = await embedTexts(
    model,
    texts.map(({ text }) => text),
    { cacheFolder: join(scratch, "texts") },
  );
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const set = (heads: string) => parseComponents(heads, model.geometry);
/** Heads of a set, or the set as one, in texts. */
async function describeSet(heads: string, options: DescribeOptions = {}) {
  const cacheFolder = join(scratch, "texts");
  const found = await describeHeads(model, index, set(heads), pool, { cacheFolder, ...options });
  return found.joint ? [found.joint] : found.heads;
}
const dense = (heads: string) =>
  createSearch(index, model.geometry, model.matmul).contributions(
    set(heads),
    index.images.map((_, row) => row),
  );

describe("heads in words", () => {
  it.each(["L0.H1", "L3.H1"])("%s: as the published algorithm over dense contributions", async (head) => {
    const [found] = await describeSet(head, { iterations: 12 });
    const { embedDim } = model.geometry;
    const texts = unitRows(embeddings, embedDim);
    const wanted = denseTextspan(await dense(head), texts, embedDim, { iterations: 12, rank: found.rank });
    expect(found.descriptions.map(({ index: text }) => text)).toEqual(wanted.selected);
    for (const [step, { explainedVariance }] of found.descriptions.entries())
      expect(explainedVariance).toBeCloseTo(wanted.explained[step], 5);
  });

  it("name the texts and their properties; one head in each entry", async () => {
    const found = await describeSet("last2", { iterations: 3 });
    expect(found.map((head) => ("name" in head ? head.name : ""))).toEqual([
      "L2.H0",
      "L2.H1",
      "L2.H2",
      "L2.H3",
      "L3.H0",
      "L3.H1",
      "L3.H2",
      "L3.H3",
    ]);
    for (const { descriptions, stability } of found) {
      expect(stability).toBeNull();
      for (const { index: place, text, property } of descriptions)
        expect(pool.texts[place]).toEqual({ text, property });
    }
  });

  it("find what the model is known to do: a plain or graded backdrop in L2.H3, place in L3.H1", async () => {
    const [backdrop, place] = await describeSet("L2.H3,L3.H1", { iterations: 5 });
    const first = ({ descriptions }: typeof backdrop) => descriptions[0].property;
    expect([first(backdrop), first(place)]).toEqual(["backdrop", "position"]);
    for (const { descriptions, control } of [backdrop, place]) {
      const sum = descriptions.reduce((total, { explainedVariance }) => total + explainedVariance, 0);
      expect(sum).toBeGreaterThan(control!.rotated.high[4]);
      expect(control!.p[4]).toBe(1 / 101);
    }
  });

  it("several as one: the sum of what they write, in the set's weights", async () => {
    const joint = "L0.H1*0.5,L1.H0,L2.MLP";
    const [found, ...others] = await describeSet(joint, { iterations: 8, joint });
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      components: {
        set: joint,
        heads: [
          { layer: 0, head: 1, name: "L0.H1", weight: 0.5 },
          { layer: 1, head: 0, name: "L1.H0", weight: 1 },
        ],
        mlps: [{ component: "L2.MLP", weight: 1 }],
      },
    });
    const { embedDim } = model.geometry;
    const options = { iterations: 8, rank: found.rank };
    const wanted = denseTextspan(await dense(joint), unitRows(embeddings, embedDim), embedDim, options);
    expect(found.descriptions.map(({ index: text }) => text)).toEqual(wanted.selected);
  });

  it("one head as a joint set is the head", async () => {
    const [alone] = await describeSet("L1.H0");
    const [joint] = await describeSet("L1.H0", { joint: true });
    expect(joint.descriptions.map(({ text }) => text)).toEqual(alone.descriptions.map(({ text }) => text));
  });

  it("arrays written from an index give what the index gives", async () => {
    const { embedDim } = model.geometry;
    const path = join(scratch, "contributions.npy");
    const writer = await createNpyWriter(path, [IMAGES, embedDim]);
    await writer.append(Float32Array.from(await dense("L3.H2")));
    await writer.finish();
    const rows = await openNpyRows(path, 2);
    const texts = Float32Array.from(unitRows(embeddings, embedDim));
    const found = await spanArrays(
      rows,
      { shape: [pool.texts.length, embedDim], data: texts },
      { iterations: 10 },
    );
    await rows.close();
    const [described] = await describeSet("L3.H2", { iterations: 10 });
    expect(found.result.selected).toEqual(described.descriptions.map(({ index: text }) => text));
  });
});

describe("stability over resampled images", () => {
  it("comes from blocks whose moments add up to those that are stored", async () => {
    const algebra = await createAlgebra(openNodeSession);
    const stored = await index.moments();
    const head = headContributions(index, model, { layer: 2, head: 1 }, stored);
    const moments = await head.moments();
    const sum = new Float64Array(moments.length);
    const blocks = dealBlocks(IMAGES, 32, 0);
    for (const rows of blocks) {
      const { data } = await algebra.gram(await head.rows(rows));
      for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    }
    await algebra.release();
    expect(blocks.flat().sort((a, b) => a - b)).toEqual(index.images.map((_, row) => row));
    expect(relativeError(sum, moments)).toBeLessThan(1e-13);
  });

  it("says for each text how often it is chosen, the same for the same seed", async () => {
    const [first] = await describeSet("L3.H1", { resamples: 40, seed: 3 });
    const [again] = await describeSet("L3.H1", { resamples: 40, seed: 3 });
    const [other] = await describeSet("L3.H1", { resamples: 40, seed: 4 });
    const stability = first.stability!;
    expect(again).toEqual(first);
    expect(other.stability).not.toEqual(stability);
    expect(stability).toMatchObject({ resamples: 40, blocks: 32 });
    expect(stability.chosenShare).toHaveLength(20);
    const [text] = first.descriptions;
    const options = {
      iterations: 20,
      resamples: 40,
      blocks: 32,
      seed: 3,
      cacheFolder: join(scratch, "texts"),
    };
    const [{ resamples }] = await resampleDescriptions(model, index, set("L3.H1"), pool, options);
    const keeping = resamples.filter((selected) => selected.some((one) => one.index === text.index));
    expect(stability.chosenShare[0]).toBe(keeping.length / 40);
    // The strongest text is chosen again far more often than a text is by chance.
    expect(stability.chosenShare[0]).toBeGreaterThan(0.8);
    expect(stability.overlap.mean).toBeGreaterThan(5 * stability.overlapByChance);
    const explained = first.descriptions.reduce((sum, { explainedVariance }) => sum + explainedVariance, 0);
    expect(stability.explained.low).toBeLessThan(explained + 0.01);
    expect(stability.explained.high).toBeGreaterThan(explained - 0.01);
  });

  it("is total where every image is one of two", async () => {
    const copies = Array.from({ length: 64 }, (_, i) => i % 2);
    const twoImages: Index = {
      ...index,
      images: copies.map((row) => index.images[row]),
      shards: [
        {
          ...index.shards[0],
          images: copies.length,
          scales: async () => imageScales(pick(await index.scalars(), copies, 3)),
          head: async (layer, head) => pick(await index.head(layer, head), copies, model.geometry.headDim),
        },
      ],
      moments: async () => {
        const all = await index.moments();
        const algebra = await createAlgebra(openNodeSession);
        const head = headContributions(index, model, { layer: 0, head: 0 }, all);
        all.set((await algebra.gram(await head.rows(copies))).data);
        await algebra.release();
        return all;
      },
    };
    const options = { resamples: 32, iterations: 3, cacheFolder: join(scratch, "texts") };
    const [found] = (await describeHeads(model, twoImages, set("L0.H0"), pool, options)).heads;
    // Two images fill two directions: two texts explain everything, whatever is drawn.
    expect(found.descriptions).toHaveLength(2);
    const sum = found.descriptions.reduce((total, { explainedVariance }) => total + explainedVariance, 0);
    expect(sum).toBeCloseTo(1, 6);
    expect(found.stability).toMatchObject({ chosenShare: [1, 1], overlap: { mean: 1, low: 1, high: 1 } });
  });

  it("overlap: 1 for the same order, 0 for nothing in common, between for the same texts in another order", () => {
    expect(averageOverlap([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(averageOverlap([1, 2, 3], [4, 5, 6])).toBe(0);
    expect(averageOverlap([1, 2], [2, 1])).toBe(0.5);
  });
});

describe("what cannot be described", () => {
  it("is refused with a code", async () => {
    const empty: Index = { ...index, images: [] };
    const asked = describeHeads(model, empty, set("L0.H0"), pool);
    await expect(asked).rejects.toMatchObject({ code: "NO_IMAGES" });
    const stopped = describeSet("all", { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("stops between resamples", async () => {
    const controller = new AbortController();
    let advances = 0;
    const report = () => {
      if (++advances === 10) controller.abort();
    };
    const asked = describeSet("all", { resamples: 50, report, signal: controller.signal });
    await expect(asked).rejects.toMatchObject({ code: "CANCELLED" });
    expect(advances).toBeLessThan(15);
  });

  it("one image has no variance and no texts", async () => {
    const algebra = await createAlgebra(openNodeSession);
    const head = headContributions(index, model, { layer: 0, head: 0 }, await index.moments());
    const { data } = await algebra.gram(await head.rows([0]));
    const space = await rowSpace(algebra, data, head.matrix);
    await algebra.release();
    expect(space).toMatchObject({ images: 1, rank: 1, totalVariance: 0 });
  });
});

function pick(values: Float32Array, rows: readonly number[], width: number): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
}
