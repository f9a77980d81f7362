import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { measureSelectivity } from "../../src/analysis/selectivity/selectivity.ts";
import { describeHeads } from "../../src/analysis/textspan/describe-heads.ts";
import { resampleDescriptions } from "../../src/analysis/textspan/resample-descriptions.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { truthOf } from "../../src/labeling/truth.ts";
import { parseComponents } from "../../src/model/components.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { headOf } from "../../src/results/shapes.ts";
import { hashPool } from "../../src/text/pool.ts";
import { repositoryPath } from "../e2e/cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "resample-"));
const models = createModelLoader({ threads: 1 });
afterAll(async () => {
  await models.release();
  rmSync(scratch, { recursive: true });
});

describe("descriptions by resampled images", async () => {
  const model = await models.load("emoji-4x128-p8");
  await buildIndex(model, await scanSource(repositoryPath("examples/scenes")), scratch);
  const index = await readIndex(scratch);
  const colours = ["red", "blue", "green", "purple", "white", "brown"].map((name) => ({
    text: `a ${name} background`,
    property: "background",
  }));
  const things = ["an animal", "a bird", "a plant", "a vehicle", "a tool", "a fruit"].map((text) => ({
    text,
    property: "group",
  }));
  const texts = [...colours, ...things];
  const pool = { name: "own", hash: hashPool(texts), texts };
  const set = parseComponents("L0.H1,L3.H1", model.geometry);
  const cacheFolder = join(scratch, "texts");
  const options = { iterations: 4, resamples: 12, blocks: 8, seed: 3, threads: 1, cacheFolder };
  const again = await resampleDescriptions(model, index, set, pool, options);

  it("choose each text as often as its stability says", async () => {
    const { heads } = await describeHeads(model, index, set, pool, { ...options, rotations: 0 });
    expect(again.map(({ name }) => name)).toEqual(["L0.H1", "L3.H1"]);
    for (const [h, { descriptions, stability }] of heads.entries()) {
      const shares = descriptions.map(({ index: text }) => {
        const chosen = again[h].resamples.filter((sample) => sample.some((one) => one.index === text));
        return chosen.length / options.resamples;
      });
      expect(shares).toEqual(stability?.chosenShare);
      expect(Math.min(...shares)).toBeLessThan(1);
    }
  });

  it("overlap by chance as much as all orders of the pool's texts do on average", async () => {
    const many = { ...options, resamples: 40, rotations: 0 };
    const [{ descriptions, stability }] = (await describeHeads(model, index, set, pool, many)).heads;
    const [{ resamples }] = await resampleDescriptions(model, index, set, pool, many);
    const overlapOf = (first: readonly number[], other: readonly number[]) =>
      first.reduce((sum, _, k) => {
        const both = first.slice(0, k + 1).filter((text) => other.slice(0, k + 1).includes(text));
        return sum + both.length / (k + 1) / first.length;
      }, 0);
    // Every way to draw four of the twelve texts in order, against the first four.
    let [sum, orders] = [0, 0];
    for (const order of ordersOf(4, texts.length)) {
      sum += overlapOf([0, 1, 2, 3], order);
      orders++;
    }
    expect(orders).toBe(12 * 11 * 10 * 9);
    expect(stability?.overlapByChance).toBeCloseTo(sum / orders, 12);
    // What is compared with chance is the same measure, of the resamples' own orders.
    const chosen = descriptions.map(({ index: text }) => text);
    const orderOf = (sample: (typeof resamples)[number]) => sample.map(({ index: text }) => text);
    const overlaps = resamples.map((sample) => overlapOf(chosen, orderOf(sample))).sort((x, y) => x - y);
    const { low, mean, high } = stability!.overlap;
    expect(mean).toBeCloseTo(overlaps.reduce((total, one) => total + one, 0) / 40, 12);
    // The middle 95 % of forty leave out one at each end.
    for (const [found, from] of [
      [low, 0],
      [high, 38],
    ]) {
      expect(found).toBeGreaterThanOrEqual(overlaps[from]);
      expect(found).toBeLessThanOrEqual(overlaps[from + 1]);
    }
    expect(overlaps[1]).toBeLessThan(overlaps[38]);
  });

  it("explain shares of what varies in the resample, and come out again the same", async () => {
    for (const { resamples } of again) {
      for (const sample of resamples) {
        const total = sample.reduce((sum, { explainedVariance }) => sum + explainedVariance, 0);
        expect(total).toBeGreaterThan(0);
        expect(total).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
    expect(await resampleDescriptions(model, index, set, pool, options)).toEqual(again);
  });

  it("need more than one image", async () => {
    const one = { ...index, images: index.images.slice(0, 1) };
    const fails = resampleDescriptions(model, one, set, pool, options);
    await expect(fails).rejects.toMatchObject({ code: "NO_IMAGES" });
  });

  it("have a truth where the pool speaks of two factors", async () => {
    const selectivity = await measureSelectivity(model, index, { permutations: 1 });
    const truth = truthOf(index, selectivity, pool);
    expect(truth?.factors).toEqual(["background", "group"]);
    expect(truth?.poolShares).toEqual([0.5, 0.5]);
    const head = selectivity.heads.find(({ name }) => name === "L0.H1");
    const shareOf = (factor: string) =>
      head?.factors[selectivity.factors.findIndex(({ name }) => name === factor)].share;
    expect(truth?.shares.get("L0.H1")).toEqual([shareOf("background"), shareOf("group")]);
    expect(truthOf(index, selectivity, { ...pool, texts: colours })).toBeUndefined();
  });

  it("know which factors contain which, and take the best of a property's factors", () => {
    const image = (i: number) => ({
      ...index.images[0],
      label: null,
      factors: {
        concept: `c${i % 4}`,
        group: i % 4 < 2 ? "a" : "b",
        style: `s${i % 3}`,
        size: i % 2 ? "x" : null,
      },
    });
    const images = Array.from({ length: 48 }, (_, i) => image(i));
    const factors = ["concept", "group", "style", "size"].map((name) => ({
      name,
      values: 2,
      images: 48,
      texts: [],
      unsigned: null,
    }));
    const own = factors.map(({ name }) => ({ text: name, property: name }));
    const truth = truthOf({ images }, { factors, heads: [] }, { ...pool, texts: own });
    expect(truth?.nested).toEqual([["concept", "group"]]);
    // A second thing in the picture is a concept too.
    const two = ["concept", "other", "group"].map((name) => ({
      name,
      values: 2,
      images: 48,
      texts: [],
      unsigned: null,
    }));
    const share = (value: number) => ({
      explained: value,
      share: value,
      chance: 0,
      highestByChance: 0,
      p: 0,
      sign: null,
      margin: null,
    });
    const heads = [{ ...headOf(0, 0), factors: [share(0.1), share(0.3), share(0.2)] }];
    const best = truthOf({ images }, { factors: two, heads }, { ...pool, texts: own });
    expect(best?.shares.get("L0.H0")).toEqual([0.3, 0.2]);
  });
});

/** Every ordered choice of `length` of the numbers below `count`. */
function* ordersOf(length: number, count: number, from: number[] = []): Generator<number[]> {
  if (from.length === length) return yield from;
  for (let i = 0; i < count; i++) if (!from.includes(i)) yield* ordersOf(length, count, [...from, i]);
}
