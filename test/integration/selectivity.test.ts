import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNeighbors } from "../../src/analysis/neighbors/neighbors.ts";
import { hubnessOf, measureRetrieval } from "../../src/analysis/neighbors/retrieval.ts";
import { findGroupings } from "../../src/analysis/selectivity/groupings.ts";
import { measureSelectivity, selectiveHeads } from "../../src/analysis/selectivity/selectivity.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import { dot } from "../../src/math/linear.ts";
import { Random } from "../../src/math/random.ts";
import { largest } from "../../src/math/rank.ts";
import { isAboveChance } from "../../src/math/tails.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents, parseHeads, weightedName } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { textProbe, unitProbe } from "../../src/model/probe.ts";
import { locateModel } from "../../src/model/registry.ts";
import type { SelectivityResult } from "../../src/results/selectivity.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { once } from "../../src/support/shared.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { goldenPath } from "../support/goldens.ts";

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

/** What several tests look at, measured once. */
const retrieval = once(() => measureRetrieval(model, index));
const permuted = once(() => measureSelectivity(model, index, { permutations: 30 }));

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

/** Holds what factors explain of heads against the dense contributions. */
async function expectCorrelationRatios(
  model: ClipModel,
  index: Index,
  names: readonly string[],
  { factors, heads }: Pick<SelectivityResult, "factors" | "heads">,
) {
  const search = createSearch(index, model.geometry, model.matmul);
  const { embedDim } = model.geometry;
  for (const name of names) {
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
}

describe("selectivity", () => {
  it("is the correlation ratio of the dense contributions", async () => {
    const { factors, heads } = await measureSelectivity(model, index, { permutations: 2 });
    await expectCorrelationRatios(model, index, ["L0.H1", "L3.H1", "L2.H3"], { factors, heads });
  });

  it("is that too where a model pools by attention, whose heads have no space of their own", async () => {
    const pooled = await loadClipModel(goldenPath("kinds/siglip-transformers"));
    const few = { ...source, images: source.images.slice(0, 40) };
    await buildIndex(pooled, few, join(scratch, "pooled"), { dtype: "float32" });
    const own = await readIndex(join(scratch, "pooled"));
    await expectCorrelationRatios(
      pooled,
      own,
      ["L0.H1", "L1.H0"],
      await measureSelectivity(pooled, own, { permutations: 1 }),
    );
    await pooled.release();
  });

  it("finds nothing in a factor that says nothing, and more than any permutation in one that does", async () => {
    const found = await permuted();
    const { factors } = found;
    const components = [...found.heads, ...found.mlps, found.embedding];
    const coin = factors.findIndex(({ name }) => name === "coin");
    const beyond = components.filter(({ factors: of }) => isAboveChance(of[coin]));
    expect(beyond).toEqual([]);
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

describe("the sign of selectivity", () => {
  const positions = ["left", "right", "top", "bottom", "centre"];
  let found: SelectivityResult;
  beforeAll(async () => {
    found = await measureSelectivity(model, index, { permutations: 1, textCache: join(scratch, "texts") });
  });
  const factorAt = (name: string) => found.factors.findIndex((factor) => factor.name === name);
  const of = (head: string, factor: string) =>
    found.heads.find(({ name }) => name === head)!.factors[factorAt(factor)];

  it("is the margin of the own value's text, straight from its definition", async () => {
    const search = createSearch(index, model.geometry, model.matmul);
    const { embedDim } = model.geometry;
    for (const [head, factor] of [
      ["L3.H1", "position"],
      ["L3.H3", "position"],
      ["L0.H1", "background"],
    ]) {
      const values = found.factors[factorAt(factor)].texts;
      const probes = await Promise.all(
        values.map(async ({ texts }) => {
          const units = await Promise.all(texts.map((text) => textProbe(model, text)));
          return unitProbe(units[0].map((_, d) => units.reduce((sum, unit) => sum + unit[d], 0)));
        }),
      );
      const rows = index.images.flatMap(({ factors }, row) =>
        (factors[factor] ?? null) === null ? [] : [row],
      );
      const dense = await search.contributions(parseComponents(head, model.geometry), rows);
      const scores = rows.map((_, i) => probes.map((p) => dot(dense, p, i * embedDim, 0)));
      const own = rows.map((row) =>
        values.findIndex(({ value }) => value === index.images[row].factors[factor]),
      );
      const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      const byValue = (read: (i: number) => number) =>
        mean(values.map((_, v) => mean(rows.flatMap((_, i) => (own[i] === v ? [read(i)] : [])))));
      const usual = values.map((_, v) => byValue((i) => scores[i][v]));
      const centred = (i: number) => scores[i].map((score, v) => score - usual[v]);
      const others = (i: number) => centred(i).filter((_, v) => v !== own[i]);
      const { margin } = of(head, factor);
      expect(margin!.mean).toBeCloseTo(
        byValue((i) => scores[i][own[i]] - mean(scores[i].filter((_, v) => v !== own[i]))),
        5,
      );
      expect(margin!.first).toBeCloseTo(
        byValue((i) => Number(centred(i)[own[i]] > Math.max(...others(i)))),
        6,
      );
      expect(margin!.last).toBeCloseTo(
        byValue((i) => Number(centred(i)[own[i]] < Math.min(...others(i)))),
        6,
      );
      expect(margin!.low).toBeLessThan(margin!.mean);
      expect(margin!.high).toBeGreaterThan(margin!.mean);
    }
  });

  it("says that L3.H1 gives the true position the lowest score, and that the others make up for it", () => {
    expect(of("L3.H1", "position")).toMatchObject({ sign: -1 });
    expect(of("L3.H1", "position").margin!.last).toBeGreaterThan(0.75);
    expect(of("L3.H1", "position").margin!.first).toBeLessThan(0.05);
    expect(of("L3.H1", "position").margin!.high).toBeLessThan(0);
    expect(of("L3.H3", "position")).toMatchObject({ sign: 1 });
    expect(of("L3.H3", "position").margin!.first).toBeGreaterThan(0.85);
    expect(of("L0.H1", "background")).toMatchObject({ sign: 1 });
  });

  it("adds up: the margins of all components are that of the embedding", () => {
    for (const [f, { name }] of found.factors.entries()) {
      const all = [...found.heads, ...found.mlps];
      const sum = all.reduce((total, { factors }) => total + factors[f].margin!.mean, 0);
      expect(sum, name).toBeCloseTo(found.embedding.factors[f].margin!.mean, 4);
    }
  });

  it("is not there where the texts do not say the factor, or no text can be read", async () => {
    const coin = found.factors[factorAt("coin")];
    expect(coin.unsigned).toContain("does not tell the texts of its values apart");
    for (const { factors } of found.heads) expect(factors[factorAt("coin")].sign).toBeNull();
    const why = "the text tower of it is not computed here";
    const tokenizer = () => Promise.reject(new ClipInterpretError("TEXTS_UNSUPPORTED", why));
    const silent = await measureSelectivity({ ...model, tokenizer }, index, { permutations: 1 });
    for (const factor of silent.factors) expect(factor).toMatchObject({ texts: [], unsigned: why });
    for (const { factors } of silent.heads) {
      for (const { sign, margin } of factors) expect([sign, margin]).toEqual([null, null]);
    }
  });

  it("is of the texts that are given: with those of other values even the embedding is wrong", async () => {
    const wrong = Object.fromEntries(
      positions.map((value, i) => [value, [`something ${PHRASES[(i + 1) % 5]}`]]),
    );
    const valueTexts = { position: wrong };
    const options = { permutations: 1, valueTexts, textCache: join(scratch, "texts") };
    const measured = await measureSelectivity(model, index, options);
    const position = measured.factors[factorAt("position")];
    expect(position.texts.find(({ value }) => value === "left")!.texts).toEqual(["something on the right"]);
    expect(position.unsigned).toContain("does not tell");
    expect(
      measured.heads.find(({ name }) => name === "L3.H1")!.factors[factorAt("position")].sign,
    ).toBeNull();
    await expect(
      measureSelectivity(model, index, { valueTexts: { colour: { red: ["red"] } } }),
    ).rejects.toMatchObject({ code: "FACTORS_MISSING", message: expect.stringContaining('"colour"') });
  });

  it("as a weight makes a text find what it says: through L3.H1 alone it finds the opposite", async () => {
    const search = createSearch(index, model.geometry, model.matmul);
    const opposite = ["right", "left", "bottom", "top"];
    const own = positions.slice(0, 4);
    /** How many of the four nearest to each text have a position of these; how many have any. */
    const hitsOf = async (heads: string, wanted: readonly string[]) => {
      let [hits, known] = [0, 0];
      for (const [i, value] of wanted.entries()) {
        const text = `something ${PHRASES[i]}`;
        const { neighbors } = await findNeighbors(model, search, { text }, parseHeads(model, heads), {
          k: 4,
        });
        const shown = neighbors.map(({ row }) => index.images[row].factors.position);
        hits += shown.filter((position) => position === value).length;
        known += shown.filter((position) => position !== null).length;
      }
      return { hits, known };
    };
    expect((await hitsOf("L3.H1", opposite)).hits).toBeGreaterThanOrEqual(14);
    // Scenes of several things have no one position. None that has one is at a wrong place.
    const alone = await hitsOf("L3.H1*-1", own);
    expect(alone.hits).toBe(alone.known);
    expect(alone.hits).toBeGreaterThanOrEqual(10);
    // As the property `position` has it, with heads that speak for what they see.
    const { position } = selectiveHeads(found, 3);
    const property = position.map(({ name, weight }) => weightedName(name, weight)).join();
    expect((await hitsOf(property, own)).hits).toBe(16);
    expect((await hitsOf(property.replaceAll("*-1", ""), own)).hits).toBeLessThan(14);
  });

  it("as a weight makes heads of both signs agree on which images are alike", async () => {
    const { position } = selectiveHeads(found, 3);
    expect(position.map(({ name, weight }) => weightedName(name, weight))).toContain("L3.H1*-1");
    const search = createSearch(index, model.geometry, model.matmul);
    const rows = index.images.flatMap(({ factors }, row) => (factors.position === null ? [] : [row]));
    const { embedDim } = model.geometry;
    const precision = async (heads: typeof position) => {
      const dense = await search.contributions({ heads, mlps: [] }, rows);
      const shares = rows.map((row, i) => {
        const scores = rows.map((_, j) => dot(dense, dense, i * embedDim, j * embedDim, embedDim));
        const value = index.images[row].factors.position;
        return (
          largest(scores, 8, new Set([i])).filter((j) => index.images[rows[j]].factors.position === value)
            .length / 8
        );
      });
      return shares.reduce((sum, share) => sum + share, 0) / shares.length;
    };
    const signed = await precision(position);
    const unsigned = await precision(position.map((head) => ({ ...head, weight: 1 })));
    expect(signed).toBeGreaterThan(unsigned + 0.1);
    // One head: a sign on both sides is none.
    const [alone] = position;
    expect(await precision([alone])).toBe(await precision([{ ...alone, weight: -alone.weight }]));
  });
});

const PHRASES = ["on the left", "on the right", "at the top", "at the bottom", "in the centre"];

describe("retrieval by property", () => {
  it("is better through the heads chosen for a factor than through the whole embedding, where heads know one", async () => {
    const { factors, rows } = await retrieval();
    const background = factors.findIndex(({ name }) => name === "background");
    const by = (chosenFor: string) =>
      rows.find((row) => row.chosenFor === chosenFor)!.precisionAtK[background];
    expect(by("background").low).toBeGreaterThan(by("embedding").high);
    expect(by("embedding").mean).toBeGreaterThan(factors[background].chance);
  });

  it("is measured on images that the heads were not chosen on", async () => {
    const { factors } = await retrieval();
    expect(factors.find(({ name }) => name === "style")!.queries).toBe(IMAGES / 2);
  });

  it("centred finds no hubs, where the product makes some images everyone's neighbours and many nobody's", async () => {
    const product = await measureRetrieval(model, index, { scoring: "dot" });
    const centred = await retrieval();
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
    const { factors, rows } = await retrieval();
    const coin = factors.findIndex(({ name }) => name === "coin");
    for (const { precisionAtK } of rows) {
      expect(Math.abs(precisionAtK[coin].mean - factors[coin].chance)).toBeLessThan(0.08);
    }
  });

  it("chooses no head that chance explains, many being looked at: none for a factor that says nothing", async () => {
    const selectivity = await permuted();
    const chosen = selectiveHeads(selectivity, 100);
    expect(chosen.coin).toEqual([]);
    expect(chosen.background.length).toBeGreaterThan(10);
    for (const [f, { name }] of selectivity.factors.entries()) {
      for (const head of chosen[name]) {
        const of = selectivity.heads.find((one) => one.name === head.name)!.factors[f];
        expect(of.explained).toBeGreaterThan(of.chance);
      }
    }
  });
});
