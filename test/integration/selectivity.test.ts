import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubnessOf, measureRetrieval } from "../../src/analysis/neighbors/retrieval.ts";
import {
  findGroupings,
  measureSelectivity,
  selectiveHeads,
} from "../../src/analysis/selectivity/selectivity.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import { Random } from "../../src/math/random.ts";
import { type ClipModel, loadClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL, locateModel } from "../../src/model/registry.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";

const IMAGES = 400;
let scratch: string;
let model: ClipModel;
let source: Source;
let index: Index;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "selectivity-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 64 }));
  source = await scanSource(corpus);
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  // A factor that says nothing: dealt out at random.
  const random = new Random(5);
  const images = source.images.map((image) => ({
    ...image,
    factors: { ...image.factors, coin: random.pick(["heads", "tails", "edge"]) },
  }));
  await buildIndex(model, { ...source, images }, join(scratch, "index"), { dtype: "float32", mlps: true });
  index = await readIndex(join(scratch, "index"));
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

/** η² of dense vectors, straight from its definition. */
function correlationRatio(rows: readonly Float64Array[], groups: readonly (string | number)[]): number {
  const mean = (of: readonly Float64Array[]) =>
    Float64Array.from(of[0], (_, d) => of.reduce((sum, row) => sum + row[d], 0) / of.length);
  const distance = (a: Float64Array, b: Float64Array) =>
    a.reduce((sum, value, d) => sum + (value - b[d]) ** 2, 0);
  const whole = mean(rows);
  const total = rows.reduce((sum, row) => sum + distance(row, whole), 0);
  const between = [...new Set(groups)].reduce<number>((sum, group) => {
    const own = rows.filter((_, i) => groups[i] === group);
    return sum + own.length * distance(mean(own), whole);
  }, 0);
  return between / total;
}

describe("selectivity", () => {
  it("is the correlation ratio of the dense contributions", async () => {
    const { factors, heads } = await measureSelectivity(model, index, { permutations: 2 });
    const search = createSearch(index, model.geometry, model.matmul);
    const { embedDim } = model.geometry;
    for (const name of ["L0.H1", "L3.H1", "L2.H3"]) {
      const component = heads.find((candidate) => candidate.name === name)!;
      for (const [f, factor] of factors.entries()) {
        const rows = index.images.flatMap(({ factors: of }, row) =>
          (of[factor.name] ?? null) === null ? [] : [row],
        );
        const dense = await search.contributions(parseComponents(name, model.geometry), rows);
        const split = rows.map((_, i) => dense.slice(i * embedDim, (i + 1) * embedDim));
        const wanted = correlationRatio(
          split,
          rows.map((row) => index.images[row].factors[factor.name]!),
        );
        expect(component.factors[f].explained, `${name} ${factor.name}`).toBeCloseTo(wanted, 5);
      }
    }
  });

  it("finds nothing in a factor that says nothing, and more than any permutation in one that does", async () => {
    const found = await measureSelectivity(model, index, { permutations: 30 });
    const { factors } = found;
    const components = [...found.heads, ...found.mlps, found.embedding];
    const coin = factors.findIndex(({ name }) => name === "coin");
    const beyond = components.filter(({ factors: of }) => of[coin].explained > of[coin].highestByChance);
    expect(beyond.length).toBeLessThan(0.15 * components.length);
    for (const { factors: of } of components) expect(of[coin].share).toBeLessThan(0.03);
    const background = factors.findIndex(({ name }) => name === "background");
    const shares = components.map(({ factors: of }) => of[background].share);
    expect(Math.max(...shares)).toBeGreaterThan(0.3);
  });

  it("gives on average what chance gives when the groups are shuffled", async () => {
    const groupings = findGroupings(index);
    const { heads, factors } = await measureSelectivity(model, index, {
      permutations: 60,
      seed: 3,
    });
    const style = factors.findIndex(({ name }) => name === "style");
    const { chance, highestByChance } = heads[0].factors[style];
    const { images, values } = groupings.find(({ name }) => name === "style")!;
    expect(chance).toBe((values.length - 1) / (images - 1));
    expect(highestByChance).toBeGreaterThan(chance);
    expect(highestByChance).toBeLessThan(6 * chance);
  });

  it("is the same for the same seed", async () => {
    const once = await measureSelectivity(model, index, { permutations: 3, seed: 1 });
    expect(await measureSelectivity(model, index, { permutations: 3, seed: 1 })).toEqual(once);
    expect(await measureSelectivity(model, index, { permutations: 3, seed: 2 })).not.toEqual(once);
  });

  it("covers every head, every stored MLP term and the embedding, and drops a label that is a factor too", async () => {
    const found = await measureSelectivity(model, index, { permutations: 1 });
    const { factors } = found;
    const { layers, heads } = model.geometry;
    expect([found.heads.length, found.mlps.length]).toEqual([layers * heads, layers + 1]);
    expect(found.mlps.map(({ component }) => component).slice(0, 2)).toEqual(["embed", "L0.MLP"]);
    expect(found.embedding.factors).toHaveLength(factors.length);
    expect(found.origin).toMatchObject({ model: { name: model.name }, index: { images: IMAGES } });
    expect(factors.map(({ name }) => name)).not.toContain("label");
    expect(factors.map(({ name }) => name)).toContain("concept");
  });

  it("says so when nothing is known about the images", async () => {
    const folder = join(scratch, "bare");
    const images = source.images
      .slice(0, 8)
      .map(({ path, bytes }) => ({ path, bytes, label: null, factors: {} }));
    await buildIndex(model, { root: source.root, images }, folder);
    const bare = await readIndex(folder);
    await expect(measureSelectivity(model, bare)).rejects.toMatchObject({ code: "FACTORS_MISSING" });
  });
});

describe("retrieval by property", () => {
  it("is better through the heads chosen for a factor than through the whole embedding, where heads know one", async () => {
    const { factors, rows } = await measureRetrieval(model, index);
    const background = factors.findIndex(({ name }) => name === "background");
    const by = (chosenFor: string) =>
      rows.find((row) => row.chosenFor === chosenFor)!.precisionAtK[background];
    expect(by("background").low).toBeGreaterThan(by("embedding").high);
    expect(by("embedding").mean).toBeGreaterThan(factors[background].chance);
  });

  it("is measured on images that the heads were not chosen on", async () => {
    const { factors } = await measureRetrieval(model, index);
    expect(factors.find(({ name }) => name === "style")!.queries).toBe(IMAGES / 2);
  });

  it("centred finds no hubs, where the product makes some images everyone's neighbours and many nobody's", async () => {
    const product = await measureRetrieval(model, index, { scoring: "dot" });
    const centred = await measureRetrieval(model, index);
    expect([product.scoring, centred.scoring]).toEqual(["dot", "centred"]);
    const [hubs, none] = [product, centred].map(
      ({ rows }) => rows.find(({ chosenFor }) => chosenFor === "background")!.hubness,
    );
    expect(hubs.never).toBeGreaterThan(0.1);
    expect(none.never).toBeLessThan(0.03);
    expect(hubs.most).toBeGreaterThan(1.5 * none.most);
    expect(hubs.skewness).toBeGreaterThan(2 * none.skewness);
    const background = centred.factors.findIndex(({ name }) => name === "background");
    const found = [product, centred].map(
      ({ rows }) => rows.find(({ chosenFor }) => chosenFor === "background")!.precisionAtK[background].mean,
    );
    expect(found[1]).toBeGreaterThan(found[0]);
  });

  it("counts hubs as they are", () => {
    const everyone = hubnessOf([[0], [0], [0], [0]], 4);
    expect(everyone).toMatchObject({ never: 0.75, most: 4 });
    // Of 4, 0, 0, 0: (27 − 3) / 4 over √3³.
    expect(everyone.skewness).toBeCloseTo(6 / 3 ** 1.5, 12);
    expect(hubnessOf([[1], [0]], 2)).toEqual({ never: 0, most: 1, skewness: 0 });
  });

  it("by a factor that says nothing is chance, whatever heads are chosen", async () => {
    const { factors, rows } = await measureRetrieval(model, index);
    const coin = factors.findIndex(({ name }) => name === "coin");
    for (const { precisionAtK } of rows) {
      expect(Math.abs(precisionAtK[coin].mean - factors[coin].chance)).toBeLessThan(0.08);
    }
  });

  it("chooses no head that a permutation beats", async () => {
    const selectivity = await measureSelectivity(model, index, { permutations: 30 });
    const chosen = selectiveHeads(selectivity, 100);
    for (const [f, { name }] of selectivity.factors.entries()) {
      for (const head of chosen[name]) {
        const of = selectivity.heads.find((one) => one.name === head.name)!.factors[f];
        expect(of.explained).toBeGreaterThan(of.highestByChance);
      }
    }
  });
});
