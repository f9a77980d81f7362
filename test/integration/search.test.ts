import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNeighbors, type NeighborOptions, type Query } from "../../src/analysis/neighbors/neighbors.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { createHeadCache } from "../../src/corpus/head-cache.ts";
import { requireModelOf } from "../../src/corpus/manifest.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch, type Search } from "../../src/corpus/search.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import { atLeastByChance } from "../../src/math/hypergeometric.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allComponents, type ComponentSet, parseComponents } from "../../src/model/components.ts";
import { decomposeImages } from "../../src/model/decompose-images.ts";
import { type Decomposition, imageOf } from "../../src/model/decomposition.ts";
import { denseHeads } from "../../src/model/dense.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { SCORINGS } from "../../src/results/scoring.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * Everything is compared with a brute-force search in float64 over dense contributions, which are what the goldens of
 * the reference implementation hold this project to.
 */

let scratch: string;
let model: ClipModel;
let source: Source;
let exact: Index;
let half: Index;
/** [n][L·H][D], and the MLP terms [n][L+1][D], over ‖e‖. */
let heads: Float64Array[][];
let mlps: Float64Array[][];
let images: Decomposition[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "search-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: 150 }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 64 }));
  source = await scanSource(corpus);
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  await buildIndex(model, source, join(scratch, "f32"), { dtype: "float32", mlps: true, shardSize: 60 });
  await buildIndex(model, source, join(scratch, "f16"), { shardSize: 64 });
  exact = await readIndex(join(scratch, "f32"));
  half = await readIndex(join(scratch, "f16"));
  [heads, mlps, images] = [[], [], []];
  const files = source.images.map(({ path }) => join(source.root, path));
  for await (const { decomposition } of decomposeImages(model, files)) {
    if (!decomposition) throw new Error("a batch without images");
    const dense = await denseHeads(model.matmul, model.geometry, decomposition);
    const { embedDim } = model.geometry;
    const split = (data: Float32Array, image: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        Float64Array.from(data.subarray((image * count + i) * embedDim, (image * count + i + 1) * embedDim)),
      );
    for (let image = 0; image < decomposition.count; image++) {
      heads.push(split(dense, image, model.geometry.layers * model.geometry.heads));
      mlps.push(split(decomposition.mlps, image, model.geometry.layers + 1));
      images.push(imageOf(decomposition, image));
    }
  }
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, d) => sum + value * b[d], 0);
const find = (search: Search, query: Query, set: ComponentSet, options?: NeighborOptions) =>
  findNeighbors(model, search, query, { name: "a set", set }, { scoring: "dot", ...options });
const searchIn = (index: Index) => createSearch(index, model.geometry, model.matmul);

/** Σ_h w_h·contribution of one image, dense. */
function bruteContribution(image: number, set: ComponentSet, scale = 1): Float64Array {
  const sum = new Float64Array(model.geometry.embedDim);
  const add = (part: Float64Array, weight: number) => {
    for (let d = 0; d < sum.length; d++) sum[d] += scale * weight * part[d];
  };
  for (const { layer, head, weight } of set.heads)
    add(heads[image][layer * model.geometry.heads + head], weight);
  for (const { index, weight } of set.mlps) add(mlps[image][index], weight);
  return sum;
}

/** Brute-force dot products of the query image with every image, with the mean over the set on both sides. */
function bruteScores(query: number, set: ComponentSet): Float64Array {
  const mean = 1 / (set.heads.length + set.mlps.length);
  const v = bruteContribution(query, set, mean);
  return Float64Array.from(heads, (_, image) => dot(v, bruteContribution(image, set, mean)));
}

const spread = (scores: Float64Array) => Math.max(...scores) - Math.min(...scores);

/** Component sets as a user may write them. */
const anySet = fc
  .uniqueArray(
    fc.constantFrom("L3.H1", "L2", "L0-L1", "last2", "mlps", "L1.H2*0.5", "L3.H0*-2", "L0.H3*1e-1"),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .filter((parts) => {
    try {
      parseComponents(parts.join(), model.geometry);
      return true;
    } catch {
      return false;
    }
  })
  .map((parts) => parts.join());

describe("scores over an index", () => {
  it("equal a brute-force search over dense contributions, for any set and query", async () => {
    const search = searchIn(exact);
    await fc.assert(
      fc.asyncProperty(anySet, fc.nat(149), async (text, query) => {
        const set = parseComponents(text, model.geometry);
        const wanted = bruteScores(query, set);
        const found = await find(search, imageQuery(query), set, {
          k: 150,
          includeSelf: true,
        });
        const tolerance = 1e-5 * Math.max(spread(wanted), 1e-3);
        expect(found.neighbors.length).toBe(150);
        for (const { row, score } of found.neighbors)
          expect(Math.abs(score - wanted[row])).toBeLessThan(tolerance);
        const order = found.neighbors.map(({ row }) => wanted[row]);
        for (let i = 1; i < order.length; i++) expect(order[i]).toBeLessThan(order[i - 1] + 2 * tolerance);
      }),
      { numRuns: 40 },
    );
  });

  it("of single MLP terms are as exact as float16", async () => {
    const set = parseComponents("embed,L2.MLP*0.5,L3.H1", model.geometry);
    const wanted = bruteScores(3, set);
    const { neighbors: nearest } = await find(searchIn(exact), imageQuery(3), set, { k: 150 });
    for (const { row, score } of nearest)
      expect(Math.abs(score - wanted[row])).toBeLessThan(2e-3 * spread(wanted));
  });

  it("of a text through everything are its cosines, with or without stored MLP terms", async () => {
    const embedding = await model.encodeTexts(["a red background"]);
    const length = Math.hypot(...embedding);
    const wanted = images.map(({ embedding: e, norm }) => {
      let sum = 0;
      for (let d = 0; d < e.length; d++) sum += e[d] * embedding[d];
      return sum / norm[0] / length;
    });
    for (const index of [exact, half]) {
      const query: Query = { text: "a red background", embedding };
      const set = allComponents(model.geometry);
      const { neighbors: nearest } = await find(searchIn(index), query, set, { k: 150 });
      for (const { row, score } of nearest) expect(Math.abs(score - wanted[row])).toBeLessThan(1e-6);
    }
  });

  it("in float16 are near those in float32, and find the same images", async () => {
    const set = parseComponents("L3.H1", model.geometry);
    let [found, kept, worst] = [0, 0, 0];
    for (let query = 0; query < 150; query += 3) {
      const wanted = bruteScores(query, set);
      const best = new Set(
        [...wanted.keys()]
          .sort((a, b) => wanted[b] - wanted[a] || a - b)
          .filter((row) => row !== query)
          .slice(0, 8),
      );
      const { neighbors: nearest } = await find(searchIn(half), imageQuery(query), set, {
        k: 8,
      });
      for (const { row, score } of nearest) {
        kept += best.has(row) ? 1 : 0;
        worst = Math.max(worst, Math.abs(score - wanted[row]) / spread(wanted));
      }
      found += nearest.length;
    }
    expect(kept / found).toBeGreaterThan(0.97);
    expect(worst).toBeLessThan(2e-3);
  });

  it("are the same bit for bit whatever else is in the index", async () => {
    const few = join(scratch, "few");
    const some = { ...source, images: source.images.filter((_, i) => i % 4 === 0) };
    await buildIndex(model, some, few, { dtype: "float32", mlps: true, shardSize: 11, batch: 3 });
    const [all, part] = [searchIn(exact), searchIn(await readIndex(few))];
    const set = parseComponents("L2-L3,L1.H2*0.5", model.geometry);
    const inAll = await find(all, imageQuery(2), set, { k: 150 });
    const inPart = await find(part, imageQuery(2), set, { k: 150 });
    const scoreOf = new Map(inAll.neighbors.map(({ row, score }) => [exact.images[row].path, score]));
    expect(inPart.neighbors.length).toBeGreaterThan(30);
    for (const { row, score } of inPart.neighbors) {
      expect(Object.is(score, scoreOf.get(part.index.images[row].path))).toBe(true);
    }
  });

  it("as cosines are dot products over both lengths, and as z are deviations from the mean", async () => {
    const set = parseComponents("L1-L2", model.geometry);
    const search = searchIn(exact);
    const mean = 1 / set.heads.length;
    const v = bruteContribution(5, set, mean);
    const wanted = Float64Array.from(heads, (_, image) => {
      const other = bruteContribution(image, set, mean);
      return dot(v, other) / Math.sqrt(dot(v, v) * dot(other, other));
    });
    const cosines = await find(search, imageQuery(5), set, {
      k: 20,
      scoring: "cosine",
    });
    for (const { row, score } of cosines.neighbors) expect(score).toBeCloseTo(wanted[row], 5);
    const raw = bruteScores(5, set);
    const average = raw.reduce((sum, value) => sum + value, 0) / raw.length;
    const deviation = Math.sqrt(raw.reduce((sum, value) => sum + (value - average) ** 2, 0) / raw.length);
    const z = await find(search, imageQuery(5), set, { k: 20, scoring: "z" });
    for (const { row, score } of z.neighbors) expect(score).toBeCloseTo((raw[row] - average) / deviation, 3);
  });

  it("centred are cosines from the mean of all images: of an image head by head, of a text all together", async () => {
    const search = searchIn(exact);
    const set = parseComponents("L1.H0,L2.H1*0.5,L3.H2*-1", model.geometry);
    const fromMean = (of: ComponentSet) => {
      const all = Array.from(heads, (_, image) => bruteContribution(image, of, 1));
      const mean = all[0].map((_, d) => all.reduce((sum, one) => sum + one[d], 0) / all.length);
      return all.map((one) => one.map((value, d) => value - mean[d]));
    };
    const cosineOf = (a: Float64Array, b: Float64Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const parts = set.heads.map((head) => ({
      square: head.weight ** 2,
      own: fromMean({ heads: [head], mlps: [] }),
    }));
    const squares = parts.reduce((sum, { square }) => sum + square, 0);
    const found = await findNeighbors(model, search, imageQuery(5), { name: "a set", set }, { k: 149 });
    expect(found.scoring).toBe("centred");
    expect(found.neighbors).toHaveLength(149);
    for (const { row, score } of [...found.neighbors, ...found.least]) {
      const wanted =
        parts.reduce((sum, { square, own }) => sum + square * cosineOf(own[5], own[row]), 0) / squares;
      expect(Math.abs(score - wanted)).toBeLessThan(1e-5);
    }
    const text = {
      text: "a red background",
      embedding: Float64Array.from({ length: model.config.embedDim }, (_, d) => Math.sin(d)),
    };
    const together = fromMean(set);
    const ofText = await find(search, text, set, { k: 149, scoring: "centred" });
    for (const { row, score } of ofText.neighbors) {
      expect(Math.abs(score - cosineOf(together[row], text.embedding))).toBeLessThan(1e-5);
    }
    // Everything is the embedding: one thing, not its parts.
    const everything = allComponents(model.geometry);
    const whole = fromMean(everything);
    const ofAll = await find(search, imageQuery(5), everything, { k: 149, scoring: "centred" });
    for (const { row, score } of ofAll.neighbors) {
      expect(Math.abs(score - cosineOf(whole[5], whole[row]))).toBeLessThan(1e-5);
    }
  });
});

const imageQuery = (row: number): Query => ({
  decomposition: images[row],
  image: { name: exact.images[row].path, label: null, sha256: exact.images[row].sha256 },
});

describe("neighbours", () => {
  let search: Search;
  beforeAll(() => {
    search = searchIn(exact);
  });
  const set = () => parseComponents("L3.H2", model.geometry);

  it("leave the query out unless asked, and say so", async () => {
    const without = await find(search, imageQuery(7), set(), { k: 149 });
    expect(without.neighbors.map(({ row }) => row)).not.toContain(7);
    expect([without.excluded, without.searched]).toEqual([1, 149]);
    const including = await find(search, imageQuery(7), set(), {
      k: 150,
      includeSelf: true,
    });
    expect(including.neighbors.map(({ row }) => row)).toContain(7);
  });

  it("come with the least similar and with random images, each image of these once", async () => {
    const { neighbors: nearest, least, random } = await find(search, imageQuery(7), set());
    expect([nearest.length, least.length, random.length]).toEqual([8, 8, 8]);
    expect(least[0].score).toBeLessThan(least[7].score);
    expect(least[7].score).toBeLessThan(nearest[7].score);
    expect(new Set(random.map(({ row }) => row)).size).toBe(8);
    const again = await find(search, imageQuery(7), set());
    expect(again.random).toEqual(random);
    const other = await find(search, imageQuery(7), set(), { seed: 1 });
    expect(other.random).not.toEqual(random);
  });

  it("have the percentile of their score among the images searched", async () => {
    const { neighbors: nearest, least } = await find(search, imageQuery(7), set(), { k: 149 });
    expect(least[0].percentile).toBe(0);
    nearest.forEach(({ percentile }, i) => {
      expect(percentile).toBeCloseTo((100 * (148 - i)) / 149, 6);
    });
  });

  it("of equal scores are the earlier images, also where many more are equal than are shown", async () => {
    // Nothing weighs nothing: every image scores 0.
    const nothing = parseComponents("L3.H2*0", model.geometry);
    for (const scoring of SCORINGS) {
      const { neighbors: nearest, least } = await find(search, imageQuery(2), nothing, { k: 4, scoring });
      for (const list of [nearest, least]) {
        expect(list.map(({ row }) => row)).toEqual([0, 1, 3, 4]);
        expect(list.every(({ score, percentile }) => score === 0 && percentile === 0)).toBe(true);
      }
    }
  });

  it("of one picture under several names stand in the index's order, and are no neighbours of themselves", async () => {
    const folder = join(scratch, "copies");
    // Three pictures in turn: 0, 3, 6 … are the first, 1, 4, 7 … the second.
    const images = Array.from({ length: 21 }, (_, i) => source.images[[5, 40, 90][i % 3]]).map(
      (image, i) => ({
        ...image,
        name: i,
      }),
    );
    await mkdir(folder);
    for (const { name, path } of images)
      await cp(join(source.root, path), join(folder, `${String(name).padStart(2, "0")}.png`));
    const index = join(scratch, "copies-index");
    await buildIndex(model, await scanSource(folder), index, { dtype: "float32", shardSize: 5, batch: 4 });
    const among = searchIn(await readIndex(index));
    const found = await find(among, imageQuery(5), set(), { k: 21 });
    expect([found.excluded, found.searched]).toEqual([7, 14]);
    const second = [1, 4, 7, 10, 13, 16, 19];
    const third = second.map((row) => row + 1);
    const expected = [found.neighbors, found.least].map((list) => list.map(({ row }) => row));
    const [better, worse] = expected[0][0] === 1 ? [second, third] : [third, second];
    expect(expected).toEqual([
      [...better, ...worse],
      [...worse, ...better],
    ]);
    for (const { score } of found.neighbors.slice(0, 7)) expect(score).toBe(found.neighbors[0].score);
  });

  it("of an index of one picture deviate by nothing, whatever rounding does to its copies", async () => {
    const folder = join(scratch, "one-picture");
    await mkdir(folder);
    for (let i = 0; i < 61; i++) await cp(join(source.root, source.images[5].path), join(folder, `${i}.png`));
    const index = join(scratch, "one-picture-index");
    await buildIndex(model, await scanSource(folder), index, { dtype: "float32" });
    const among = searchIn(await readIndex(index));
    for (const heads of ["L3.H2", "L2", "all", "last2"]) {
      const read = parseComponents(heads, model.geometry);
      for (const scoring of ["z", "centred"] as const) {
        const { neighbors: nearest, least } = await find(among, imageQuery(7), read, { scoring });
        for (const { score } of [...nearest, ...least]) expect(score, heads).toBe(0);
      }
    }
  });

  it("come with the spread of what was searched: the query is part of it only when it is shown", async () => {
    // An image that is likest to itself, so that it would be the highest of all.
    const query = images.findIndex((_, row) => {
      const scores = bruteScores(row, set());
      return scores[row] === Math.max(...scores);
    });
    const raw = bruteScores(query, set());
    const others = raw.filter((_, row) => row !== query);
    const tolerance = 1e-5 * spread(raw);
    for (const [includeSelf, wanted] of [
      [false, others],
      [true, raw],
    ] as const) {
      const { distribution, searched } = await find(search, imageQuery(query), set(), { includeSelf });
      expect(searched).toBe(wanted.length);
      const sorted = [...wanted].sort((a, b) => a - b);
      const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
      const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
      const deviation = Math.sqrt(
        sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length,
      );
      const expected = { mean, deviation, least: sorted[0], median: middle, most: sorted[sorted.length - 1] };
      for (const [key, value] of Object.entries(distribution))
        expect(Math.abs(value - expected[key as keyof typeof expected]), key).toBeLessThan(tolerance);
    }
    expect(Math.max(...others)).toBeLessThan(raw[query] - 10 * tolerance);
  });

  it("are fewer when the index has fewer", async () => {
    const { neighbors: nearest, random } = await find(search, imageQuery(7), set(), { k: 500 });
    expect([nearest.length, random.length]).toEqual([149, 149]);
  });

  it("refuse a single MLP term that the index does not hold", async () => {
    const term = parseComponents("L2.MLP", model.geometry);
    await expect(find(searchIn(half), imageQuery(0), term)).rejects.toMatchObject({
      code: "HEADS_INVALID",
    });
  });
});

describe("the cache of head blocks", () => {
  it("gives the same numbers within any budget, and keeps to it", async () => {
    const bytes = 150 * (model.geometry.headDim + 3) * 4;
    const small = createHeadCache(exact, 2 * bytes);
    const first = await small.block(0, 0);
    expect(await small.block(0, 0)).toBe(first);
    await small.block(0, 1);
    await small.block(0, 2);
    const anew = await small.block(0, 0);
    expect(anew).not.toBe(first);
    expect(anew).toEqual(first);
  });

  it("lets go of the block that was read least recently, not of the one that was loaded first", async () => {
    const bytes = 150 * (model.geometry.headDim + 3) * 4;
    const cache = createHeadCache(exact, 2 * bytes);
    const [first, second] = [await cache.block(0, 0), await cache.block(0, 1)];
    expect(await cache.block(0, 0)).toBe(first);
    await cache.block(0, 2);
    expect(await cache.block(0, 0)).toBe(first);
    expect(await cache.block(0, 1)).not.toBe(second);
  });

  it("gives what is larger than its budget without letting go of the rest", async () => {
    const cache = createHeadCache(exact, 2 * 150 * (model.geometry.headDim + 3) * 4);
    const block = await cache.block(0, 0);
    const [shard] = exact.shards;
    const embeddings = await cache.embeddings(shard);
    expect(embeddings).toHaveLength(shard.images * model.geometry.embedDim);
    expect(await cache.block(0, 0)).toBe(block);
    expect(await cache.embeddings(shard)).not.toBe(embeddings);
  });
});

describe("neighbors, the command", () => {
  it("refuses an index of another model", async () => {
    const other = await loadClipModel((await locateModel("emoji-6x192-p8")).folder, "emoji-6x192-p8");
    await expect(requireModelOf(exact, other)).rejects.toMatchObject({ code: "INDEX_MISMATCH" });
    await other.release();
  });

  it("answers by a property of a labels file", async () => {
    const { writeFile } = await import("node:fs/promises");
    const labels = join(scratch, "labels.json");
    await writeFile(labels, JSON.stringify({ colours: ["L0.H1", "L1.H0"] }));
    const args = [
      "neighbors",
      "--index",
      exact.folder,
      "--text",
      "a red background",
      "--labels",
      labels,
      "--json",
    ];
    const { code, stdout } = await runHere(...args, "--heads", "Colours");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      components: { set: "Colours", heads: [{ name: "L0.H1" }, { name: "L1.H0" }] },
      searched: 150,
    });
    const bad = await runHere(...args, "--heads", "smells");
    expect(bad.stderr).toMatch(/HEADS_INVALID/);
  });
});

describe("what the images found have in common", () => {
  const through = (index: Index, heads: string) =>
    findNeighbors(
      model,
      searchIn(index),
      { text: "a red background" },
      { name: heads, set: parseComponents(heads, model.geometry) },
    );

  it("are values more frequent among them than among all, by an exact test", async () => {
    const found = await through(exact, "L0.H1");
    const rowsOfRed = exact.images.flatMap(({ factors }, row) => (factors.background === "red" ? [row] : []));
    const own = found.neighbors.filter(({ row }) => rowsOfRed.includes(row)).length;
    const [n, all] = [exact.images.length, rowsOfRed.length];
    const red = found.common!.neighbors.find(({ value }) => value === "red");
    expect(red).toMatchObject({ factor: "background", share: own / 8, overall: all / n });
    expect(own).toBeGreaterThan(4);
    // Corrected for all that was looked at.
    expect(red!.p).toBeGreaterThan(atLeastByChance(own, 8, all, n));
    expect(red!.p).toBeLessThan(0.05);
  });

  it("is nothing through a head that follows something else, and null where nothing is known of the images", async () => {
    const position = await through(exact, "L3.H1");
    expect(position.common!.neighbors.map(({ factor }) => factor)).not.toContain("background");
    const bare = { ...exact, images: exact.images.map((row) => ({ ...row, label: null, factors: {} })) };
    expect((await through(bare, "L0.H1")).common).toBeNull();
  });

  it("names a factor with too many values, of which nothing is said", async () => {
    const rows = Array.from({ length: 100_002 }, (_, i) => ({
      ...exact.images[i % exact.images.length],
      factors: { caption: `caption ${i}`, half: i % 2 },
    }));
    const rowsUnread = {
      ...exact,
      images: { length: exact.images.length },
      async *eachShardRows() {
        yield rows;
      },
    };
    const { common } = await through(rowsUnread as never, "L0.H1");
    expect(common).toMatchObject({ leftOut: ["caption"], neighbors: expect.any(Array) });
    expect((await through(exact, "L0.H1")).common!.leftOut).toEqual([]);
  });
});
