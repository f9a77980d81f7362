import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { evaluateZeroShot } from "../../src/analysis/ablation/study.ts";
import { makeAtlas } from "../../src/analysis/atlas/atlas.ts";
import { blindAtlas, blindPage } from "../../src/analysis/atlas/blind.ts";
import { sharesOfPool } from "../../src/analysis/atlas/find-heads.ts";
import { keptAtlas } from "../../src/analysis/atlas/kept.ts";
import { knowingHeads } from "../../src/analysis/atlas/knowing-heads.ts";
import { labelAtlas, labelPage, loadAtlasLabels } from "../../src/analysis/atlas/labels.ts";
import type { AtlasOptions } from "../../src/analysis/atlas/options.ts";
import { measureSelectivity } from "../../src/analysis/selectivity/selectivity.ts";
import { findSimilarHeads } from "../../src/analysis/similar/similar.ts";
import { describeHeads } from "../../src/analysis/textspan/describe-heads.ts";
import { defaultClasses } from "../../src/analysis/zero-shot/classes.ts";
import { prepareZeroShot } from "../../src/analysis/zero-shot/problem.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseHeads } from "../../src/model/components.ts";
import { decomposeImage } from "../../src/model/decompose-image.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import {
  type AtlasHeadResult,
  type AtlasResult,
  atlasHeadResultSchema,
  atlasResultSchema,
} from "../../src/results/atlas.ts";
import { hashPool, loadPool, type TextPool } from "../../src/text/pool.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";

const IMAGES = 120;
let scratch: string;
let model: ClipModel;
let index: Index;
let pool: TextPool;
let atlas: AtlasResult;
const pages = new Map<string, AtlasHeadResult>();
const options = (): AtlasOptions => ({ pool, rotations: 9, cacheFolder: join(scratch, "texts") });

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "atlas-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 64 }));
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  await buildIndex(model, await scanSource(corpus), join(scratch, "index"), { shardSize: 60 });
  index = await readIndex(join(scratch, "index"));
  const texts = (await loadPool("emoji")).texts.filter((_, i) => i % 6 === 0);
  pool = { name: "some", hash: hashPool(texts), texts };
  atlas = await makeAtlas(model, index, {
    ...options(),
    onPage: (page) => void pages.set(page.entry.name, page),
  });
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const page = (name: string) => pages.get(name)!;
const entry = (name: string) => atlas.heads.find((head) => head.name === name)!;
const set = (text: string) => parseHeads(model, text);

describe("the atlas", () => {
  it("has every head, a page for each, and both say the same of it", () => {
    expect(atlas.heads.map(({ name }) => name)).toEqual([...pages.keys()]);
    for (const [name, of] of pages) expect(of.entry).toEqual(entry(name));
    expect(atlasResultSchema.parse(atlas)).toEqual(atlas);
    expect(atlasHeadResultSchema.parse(page("L3.H1"))).toEqual(page("L3.H1"));
    const neighbours = [...pages.values()].map(({ previous, next }) => [previous?.name, next?.name]);
    expect(neighbours[0]).toEqual([undefined, "L0.H1"]);
    expect(neighbours.at(-1)).toEqual(["L3.H2", undefined]);
  });

  it("says what other analyses say", async () => {
    const { cacheFolder } = options();
    const how = { iterations: 10, rotations: 9, ...(cacheFolder && { cacheFolder }) };
    const [described] = (await describeHeads(model, index, set("L3.H1"), pool, how)).heads;
    expect(page("L3.H1").texts.map(({ index: at, explained }) => [at, explained])).toEqual(
      described.descriptions.map(({ index: at, explainedVariance }) => [at, explainedVariance]),
    );
    const five = described.explainedVariance.slice(0, 5).reduce((sum, share) => sum + share, 0);
    expect(entry("L3.H1").metrics.explained).toBeCloseTo(five, 10);

    const { factors, heads } = await measureSelectivity(model, index, { permutations: 5 });
    const own = heads.find(({ name }) => name === "L3.H1")!;
    const position = factors.findIndex(({ name }) => name === "position");
    expect(page("L3.H1").factors.find(({ factor }) => factor === "position")).toMatchObject({
      share: own.factors[position].share,
      sign: own.factors[position].sign,
    });

    const problem = await prepareZeroShot(model, index, defaultClasses(index, "background"));
    const { rows, whole } = await evaluateZeroShot(model, problem, [set("L1.H0")], {
      random: 1,
      layers: false,
    });
    expect(page("L1.H0").effects.find(({ factor }) => factor === "background")).toMatchObject({
      whole: whole.all.share,
      without: rows[0].accuracy.share,
    });

    const similar = await findSimilarHeads(model, index, { layer: 3, head: 1 }, { k: 5, permutations: 1 });
    expect(page("L3.H1").nearest.map(({ name }) => name)).toEqual(similar.heads.map(({ name }) => name));
    for (const [i, { similarity }] of page("L3.H1").nearest.entries())
      expect(similarity).toBeCloseTo(similar.heads[i].similarity, 4);

    const lengths = await createSearch(index, model.geometry, model.matmul).lengths(set("L2.H1"));
    const mean = lengths.reduce((sum, length) => sum + length, 0) / IMAGES;
    expect(entry("L2.H1").metrics.norm).toBeCloseTo(mean, 8);
  });

  it("what heads bring to a class's lead adds up to no more than all of it", () => {
    const direct = [...pages.values()].map(
      ({ effects }) => effects.find(({ factor }) => factor === "background")!.direct,
    );
    // MLPs bring the rest, which may be negative.
    expect(direct.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(0.5);
    expect(Math.max(...direct)).toBe(
      page("L1.H0").effects.find(({ factor }) => factor === "background")!.direct,
    );
  });

  it("places every image along each direction once: highest, lowest, some of every tenth", () => {
    for (const { directions } of pages.values()) {
      expect(directions).toHaveLength(5);
      for (const { histogram, most, least, deciles } of directions) {
        expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(IMAGES);
        expect(most[0].score).toBeCloseTo(histogram.to, 12);
        expect(least[0].score).toBeCloseTo(histogram.from, 12);
        expect(most.map(({ score }) => score)).toEqual(most.map(({ score }) => score).sort((a, b) => b - a));
        expect(deciles).toHaveLength(10);
        for (const { from, to, images } of deciles) {
          expect(images.length).toBe(2);
          for (const { score } of images) expect(score >= from && score <= to).toBe(true);
        }
        expect(most[0].percentile).toBeCloseTo((IMAGES - 1) / IMAGES, 12);
        expect(least[0].percentile).toBe(0);
      }
    }
  });

  it("maps show where a score comes from: their sums order images as scores do", () => {
    for (const name of ["L1.H0", "L2.H3", "L3.H1"]) {
      const [{ most, least, deciles }] = page(name).directions;
      const shown = [...most, ...least, ...deciles.flatMap(({ images }) => images)];
      const sums = shown.map(({ map }) => map!.reduce((sum, value) => sum + value, 0));
      expect(
        correlation(
          shown.map(({ score }) => score),
          sums,
        ),
      ).toBeGreaterThan(0.9);
    }
    expect(page("L1.H0").withoutMaps).toBe(0);
  });

  it("looks where attention is on average", async () => {
    const { look } = page("L2.H1");
    const sum = look!.values.reduce((total, value) => total + value, look!.cls!);
    expect(sum).toBeCloseTo(1, 3);
    expect(look!.images).toBe(IMAGES);
    const mean = new Float64Array(64);
    for (const { path } of index.images) {
      const { tokens } = await decomposeImage(model, join(index.manifest.root, path), {
        tokensOf: set("L2.H1"),
      });
      const { attention } = tokens.layers.get(2)!;
      for (let i = 0; i < 64; i++) mean[i] += attention[65 + 1 + i] / IMAGES;
    }
    for (const [i, value] of look!.values.entries()) expect(value).toBeCloseTo(mean[i], 4);
  });

  it("parts images by what a head tells apart: the groups of a backdrop's head have one backdrop each", () => {
    const { groups, pictures } = page("L0.H1");
    expect(groups.reduce((sum, { size }) => sum + size, 0)).toBe(IMAGES);
    const sizes = groups.map(({ size }) => size);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const [{ common: ends }] = page("L0.H1").directions;
    expect([...ends.least, ...ends.most].map(({ factor }) => factor)).toContain("background");
    const named = groups.filter(({ common }) => common[0]?.factor === "background");
    expect(named.length).toBeGreaterThan(groups.length / 2);
    for (const { images } of groups)
      for (const row of images) expect(pictures.some((picture) => picture.row === row)).toBe(true);
  });

  it("makes no more maps than asked, and says what has none", async () => {
    const few = new Map<string, AtlasHeadResult>();
    await makeAtlas(model, index, {
      ...{ ...options(), rotations: 0, maps: 20 },
      onPage: (of) => void few.set(of.entry.name, of),
    });
    const { look, pictures, withoutMaps, control } = few.get("L3.H3")!;
    expect(look?.images).toBe(20);
    expect(control).toBeNull();
    expect(pictures.filter(({ covered }) => covered !== null).length).toBeLessThanOrEqual(20);
    expect(withoutMaps).toBeGreaterThan(0);
  });

  it("is not made of one image, in which nothing varies", async () => {
    const source = {
      root: index.manifest.root,
      images: [(await scanSource(join(scratch, "corpus"))).images[0]],
    };
    await buildIndex(model, source, join(scratch, "one"));
    await expect(makeAtlas(model, await readIndex(join(scratch, "one")), options())).rejects.toMatchObject({
      code: "FEW_IMAGES",
    });
    await expect(makeAtlas(model, { ...index, images: [] }, options())).rejects.toMatchObject({
      code: "NO_IMAGES",
    });
    await expect(makeAtlas(model, index, {})).rejects.toMatchObject({ code: "TEXTS_EMPTY" });
  });
});

describe("an atlas on disk", () => {
  it("is refused before the work where nothing can be kept, with what to do", async () => {
    const file = join(scratch, "a-file");
    await writeFile(file, "");
    vi.stubEnv("CLIP_INTERPRET_CACHE", file);
    const events: string[] = [];
    const kept = await keptAtlas(file, model, index, { pool, rotations: 9 });
    await expect(kept.make(index, { report: ({ type }) => events.push(type) })).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      hint: expect.stringContaining("CLIP_INTERPRET_CACHE"),
    });
    expect(events).toEqual([]);
  });

  it("goes on where it was stopped, is the same as in one go, and is made once", async () => {
    const folder = join(scratch, "kept");
    const cacheFolder = join(scratch, "texts");
    let looked = 0;
    const counting: ClipModel = {
      ...model,
      decompose: (pixels, how) => {
        looked += pixels.length / (3 * 64 * 64);
        return model.decompose(pixels, how);
      },
    };
    const open = (rotations = 9) => keptAtlas(folder, counting, index, { pool, rotations });
    const kept = await open();
    const controller = new AbortController();
    const stopped = kept.make(index, {
      ...{ cacheFolder, signal: controller.signal },
      report: (event) => {
        if (event.type === "advance" && event.task === "looking at images" && event.done >= 48)
          controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await kept.overview()).toBeUndefined();
    const files = async () =>
      (await readdir(folder, { recursive: true })).filter((name) => /\.jsonl?$/.test(name));
    const [journal] = (await files()).map((name) => join(folder, name));
    const lines = (await readFile(journal, "utf8")).trim().split("\n").length;
    expect(lines).toBeGreaterThanOrEqual(48);
    // What a killed process leaves: a line that ends in the middle.
    await appendFile(journal, '{"row": 1, "cov');
    looked = 0;
    expect(await kept.make(index, { cacheFolder })).toEqual(atlas);
    expect(looked).toBe(IMAGES - lines);
    const events: string[] = [];
    const again = await open();
    expect(await again.make(index, { cacheFolder, report: ({ type }) => events.push(type) })).toEqual(atlas);
    expect(events).toEqual([]);
    for (const [name, of] of pages) expect(await again.page(name)).toEqual(of);
    expect(await again.page("../L3.H1")).toBeUndefined();
    expect(await (await open(10)).overview()).toBeUndefined();
    expect((await files()).some((name) => name.endsWith(".jsonl"))).toBe(false);
  });
});

describe("labels", () => {
  it("come from a file, with who gave them and how many descriptions fit, and change nothing that is kept", async () => {
    const file = join(scratch, "labels.json");
    const labelled = { label: "place", consistent: [true, true, true, false, true] };
    await writeFile(
      file,
      JSON.stringify({ model: DEFAULT_MODEL, heads: { "L3.H1": labelled, "L3.H3": "size" } }),
    );
    const labels = await loadAtlasLabels(model, file);
    const shown = labelAtlas(atlas, labels);
    const named = shown.heads.filter(({ label }) => label);
    expect(named.map(({ name, label }) => [name, label?.label, label?.kind, label?.ccs])).toEqual([
      ["L3.H1", "place", "manual", 4],
      ["L3.H3", "size", "manual", null],
    ]);
    expect(shown.metrics.find(({ key }) => key === "ccs")?.why).toBeNull();
    expect(atlas.metrics.find(({ key }) => key === "ccs")?.why).not.toBeNull();
    const near = [...pages.values()].find(({ nearest }) => nearest.some(({ name }) => name === "L3.H1"))!;
    expect(labelPage(near, labels).nearest.find(({ name }) => name === "L3.H1")?.label).toBe("place");
    expect(await loadAtlasLabels(model)).toEqual({});
    const published = { name: "ViT-B-32/openai", config: { vision: { layers: 12, heads: 12 } } } as ClipModel;
    expect(Object.keys(await loadAtlasLabels(published))).toHaveLength(48);
  });

  it("and all that would give a head away can be left out", () => {
    const secrets = [...new Set(index.images.flatMap(({ factors }) => Object.values(factors)))].filter(
      (value): value is string => typeof value === "string" && value.length > 3,
    );
    const told = JSON.stringify([
      blindAtlas(atlas).pictures,
      [...pages.values()]
        .map(blindPage)
        .map(({ pictures, groups, factors, effects, entry: of, directions }) => ({
          ...{ pictures, groups, factors, effects, strongest: of.strongest },
          common: directions.map(({ common }) => common),
        })),
    ]);
    for (const secret of secrets) expect(told).not.toContain(`"${secret}"`);
    expect(blindAtlas(atlas).heads.every(({ metrics }) => metrics.selectivity === null)).toBe(true);
  });
});

describe("heads that know a text", () => {
  it("are those of its factor, with whether they write towards it", async () => {
    const shares = await sharesOfPool(model, index, pool, { cacheFolder: join(scratch, "texts") });
    const find = async (text: string) => {
      const embedding = await model.encodeTexts([text]);
      return (await knowingHeads(model, index, { text, embedding, shares, pool })).heads;
    };
    const red = await find("a red background");
    expect(
      red
        .slice(0, 2)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["L0.H1", "L1.H0"]);
    expect(red.every(({ share }, i) => i === 0 || share <= red[i - 1].share)).toBe(true);
    expect(red[0].agreement).toBeGreaterThan(0.2);
    const corner = (await find("something on the left")).find(({ name }) => name === "L3.H1")!;
    expect(corner.agreement).toBeLessThan(-0.2);
    // A text of the pool has the place of its share among the others'.
    const [{ text }] = pool.texts;
    const first = (await find(text))[0];
    const unit = 4 * first.layer + first.head;
    const below = shares.sorted[unit].filter((share) => share < first.share - 1e-9).length;
    expect(first.percentile).toBeCloseTo(below / pool.texts.length, 2);
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  const product = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}
