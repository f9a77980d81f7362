import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { headNamed } from "../results/shapes.ts";
import type { CalibrationKey } from "../results/study.ts";
import { type CalibrationOptions, calibrate as calibrateGroups, type Truth } from "./calibration.ts";
import type { JudgedHead } from "./metrics.ts";

const calibrate = (
  heads: readonly JudgedHead[],
  known: Truth,
  { resamples, permutations = 1000, ...options }: CalibrationOptions & { resamples?: JudgedHead[][] } = {},
) =>
  calibrateGroups([{ model: "one", layers: 3, heads, truth: known, ...(resamples && { resamples }) }], {
    ...options,
    permutations,
  });

const FACTORS = ["concept", "group", "style", "count"];
const judged = (head: string, label: string, ccs: number): JudgedHead => ({
  ...headNamed(head),
  label,
  consistent: Array.from({ length: 5 }, (_, i) => i < ccs),
});
/** Twelve heads, three for each factor; ε² grows with the head's number. */
const names = Array.from({ length: 12 }, (_, i) => `L${Math.floor(i / 4)}.H${i % 4}`);
const truth: Truth = {
  factors: FACTORS,
  shares: new Map(names.map((name, i) => [name, FACTORS.map((_, f) => (f === i % 4 ? 0.2 + i / 20 : 0.05))])),
  poolShares: [0.8, 0.1, 0.05, 0.05],
  nested: [["concept", "group"]],
};
const right = names.map((name, i) => judged(name, FACTORS[i % 4], 1 + Math.floor(i / 3)));

describe("labels that are right", () => {
  const found = calibrate(right, truth);

  it("are found to be, beyond chance", () => {
    const { value, chance, p } = found.measures.right;
    expect(value).toBe(1);
    // Labels dealt out again: a quarter is right on average.
    expect(chance?.mean).toBeCloseTo(0.25, 1);
    expect(p).toBeLessThan(0.001);
    expect(found.measures.captured.value).toBeCloseTo(1, 12);
  });

  it("have a CCS that goes with selectivity where it does", () => {
    expect(found.measures.ccsWithLabelShare.value).toBeGreaterThan(0.9);
    expect(found.measures.ccsWithLabelShare.p).toBeLessThan(0.005);
    const reversed = names.map((name, i) => judged(name, FACTORS[i % 4], 5 - Math.floor(i / 3)));
    expect(calibrate(reversed, truth).measures.ccsWithLabelShare.value).toBeLessThan(-0.9);
  });
});

describe("labels that are wrong", () => {
  const wrong = names.map((name, i) => judged(name, FACTORS[(i + 1) % 4], 3));

  it("are found to be; what is nested in the truth is distinguished", () => {
    const { measures, heads } = calibrate(wrong, truth);
    expect(measures.right.value).toBe(0);
    expect(measures.right.p).toBe(1);
    // "group" for a concept head is nested; "concept" for a head of count is not.
    expect(measures.rightOrNested.value).toBe(3 / 12);
    expect(heads[0]).toMatchObject({ label: "group", best: "concept", right: false, rightOrNested: true });
    expect(measures.ccsWithLabelShare).toMatchObject({ value: null, p: null });
    expect(measures.associationGap.value).toBeNull();
  });

  it("that are no factor have no selectivity", () => {
    const { heads, measures } = calibrate([judged("L0.H0", "weather", 2)], truth);
    expect(heads[0].labelShare).toBeNull();
    expect(measures.captured.value).toBe(0);
  });
});

describe("calibration", () => {
  it("counts how often labels of each CCS are right", () => {
    const heads = names.map((name, i) => judged(name, i < 6 ? FACTORS[i % 4] : "weather", i < 6 ? 5 : 1));
    const { reliability, measures } = calibrate(heads, truth);
    expect(reliability.map(({ ccs, heads: n, right: r }) => [ccs, n, r])).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((ccs) => [ccs, ccs === 5 || ccs === 1 ? 6 : 0, ccs === 5 ? 6 : 0]),
    ]);
    expect(reliability[5].low).toBeCloseTo(0.6097, 3);
    expect(reliability[0].low).toBeNull();
    expect(measures.associationGap.value).toBe(1);
  });

  it("sees past a label that most texts of the pool have", () => {
    // Every concept head has CCS 4 by the pool alone; the others' lower CCS says more, and they are more selective.
    const biased: Truth = {
      ...truth,
      shares: new Map(
        names.map((name, i) => [
          name,
          FACTORS.map((_, f) => (f === i % 4 ? (f === 0 ? 0.2 : 0.5 + i / 50) : 0.05)),
        ]),
      ),
    };
    const heads = names.map((name, i) => judged(name, FACTORS[i % 4], i % 4 === 0 ? 4 : 2 + (i > 6 ? 1 : 0)));
    const { measures, heads: found } = calibrate(heads, biased);
    expect(found[0].excess).toBe(0);
    expect(found[1].excess).toBe(1.5);
    expect(measures.ccsWithLabelShare.value).toBeLessThan(0);
    expect(measures.excessWithLabelShare.value).toBeGreaterThan(0.7);
  });

  it("counts how often each label is right", () => {
    const heads = names.map((name, i) => judged(name, i % 4 === 3 ? "style" : FACTORS[i % 4], 3));
    expect(calibrate(heads, truth).byLabel.map(({ label, heads: n, right: r }) => [label, n, r])).toEqual([
      ["style", 6, 3],
      ["concept", 3, 3],
      ["group", 3, 3],
    ]);
  });

  it("leaves out what was not judged or is not known", () => {
    const heads = [...right, { ...headNamed("L9.H9"), label: "style", consistent: [true] }];
    const unjudged = [{ ...headNamed("L0.H0"), label: "style", consistent: [] }];
    expect(calibrate(heads, truth).heads.length).toBe(12);
    expect(calibrate(unjudged, truth).measures.right).toEqual({
      ...{ value: null, chance: null, p: null, layerChance: null, layerP: null },
      ...{ resampled: null, trainings: null },
    });
  });

  it("says where every number lies when the images are drawn again", () => {
    const resamples = [right, right.map((head, i) => (i < 3 ? { ...head, label: "weather" } : head))];
    const { measures } = calibrate(right, truth, { resamples });
    expect(measures.right.resampled?.mean).toBeCloseTo((1 + 0.75) / 2, 12);
    for (const { resampled } of Object.values(measures))
      if (resampled) expect(resampled.low).toBeLessThanOrEqual(1);
  });

  it("over several models deals labels out within each", () => {
    // Two models whose heads all know one factor each: within a model every permutation is right.
    const uniform = (factor: number): Truth => ({
      ...truth,
      shares: new Map(names.map((name) => [name, FACTORS.map((_, f) => (f === factor ? 0.5 : 0.1))])),
    });
    const groups = [0, 2].map((factor) => ({
      ...{ model: `model ${factor}`, layers: 3 },
      heads: names.map((name) => judged(name, FACTORS[factor], 5)),
      truth: uniform(factor),
    }));
    const { heads, measures } = calibrateGroups(groups, { permutations: 100 });
    expect(heads.length).toBe(24);
    expect(measures.right).toMatchObject({ value: 1, chance: { mean: 1, low: 1, high: 1 }, p: 1 });
  });

  it("gives the same answer for the same seed", () => {
    const keys: CalibrationKey[] = ["right", "captured"];
    const twice = [1, 1].map((seed) => calibrate(right, truth, { seed, permutations: 200 }));
    for (const key of keys) expect(twice[0].measures[key]).toEqual(twice[1].measures[key]);
  });
});

describe("a labeller that says one thing", () => {
  // Five of the twelve heads respond to the concept.
  const lopsided: Truth = {
    ...truth,
    shares: new Map(
      names.map((name, i) => [name, FACTORS.map((_, f) => (f === Math.max(0, i - 4) % 4 ? 0.5 : 0.1))]),
    ),
  };
  const concepts = names.filter((_, i) => Math.max(0, i - 4) % 4 === 0).length;

  it("is right exactly as often as the commonest truth, and no better than itself", () => {
    const always = names.map((name) => judged(name, "concept", 5));
    const { constant, measures, heads } = calibrate(always, lopsided);
    expect(concepts).toBe(6);
    expect(constant).toEqual({ label: "concept", right: concepts, p: 1 });
    expect(measures.right).toMatchObject({ value: concepts / heads.length, p: 1, layerP: 1 });
  });

  it("is what labels are compared with, head by head", () => {
    const best = names.map((name, i) => judged(name, FACTORS[Math.max(0, i - 4) % 4], 5));
    const { constant, measures } = calibrate(best, lopsided);
    expect(measures.right.value).toBe(1);
    // Six heads of which the constant label is wrong, all won: 1/2⁶.
    expect(constant).toEqual({ label: "concept", right: concepts, p: expect.closeTo(1 / 64, 12) });
  });
});

describe("what belongs to a layer", () => {
  // The first layer responds to style, the others to count; labels know the layer and nothing else.
  const byLayer: Truth = {
    ...truth,
    shares: new Map(
      names.map((name, i) => [name, FACTORS.map((_, f) => (f === (i < 4 ? 2 : 3) ? 0.5 : 0.1))]),
    ),
  };

  it("is no merit of the labels within layers", () => {
    const heads = names.map((name, i) => judged(name, i < 4 ? "style" : "count", 5));
    const { measures, byDepth } = calibrate(heads, byLayer);
    expect(measures.right.p).toBeLessThan(0.05);
    expect(measures.right).toMatchObject({ layerChance: { mean: 1 }, layerP: 1 });
    expect(byDepth.map(({ heads: n, right: r, constant }) => [n, r, constant])).toEqual([
      [4, 4, 0],
      [4, 4, 4],
      [4, 4, 4],
    ]);
  });

  it("is left out beyond the first third", () => {
    // High CCS goes with right labels in the first layer alone.
    const heads = names.map((name, i) =>
      i < 4 ? judged(name, i < 2 ? "style" : "group", i < 2 ? 5 : 1) : judged(name, "count", i % 2 ? 5 : 1),
    );
    const { measures } = calibrate(heads, byLayer);
    expect(measures.associationGap.value).toBeGreaterThan(0);
    expect(measures.laterGap.value).toBe(0);
  });
});

describe("ε² on two halves of the images", () => {
  const half = (of: (i: number) => number): Truth["shares"] =>
    new Map(names.map((name, i) => [name, FACTORS.map((_, f) => (f === of(i) ? 0.4 : 0.1))]));

  it("counts heads whose strongest factor holds, and what is right by each", () => {
    const known: Truth = {
      ...truth,
      halves: [half((i) => i % 4), half((i) => (i < 6 ? i % 4 : (i + 1) % 4))],
    };
    const { halves } = calibrate(right, known);
    expect(halves).toMatchObject({ sameBest: 6, right: 6, share: (12 + 6) / 24 });
    // Six heads name all in both halves; of six the label is right in one half, where the other's best has 0.1.
    expect(halves?.captured).toBeCloseTo((12 * 0.4 + 6 * (0.4 + 0.1)) / (12 * 0.4 + 6 * (0.1 + 0.1)), 12);
  });

  it("is null where it was not measured", () => {
    expect(calibrate(right, truth).halves).toBeNull();
  });
});

describe("several models", () => {
  it("give an interval over trainings, of their own values", () => {
    const groups = [0, 3, 6].map((wrong, m) => ({
      ...{ model: `model ${m}`, layers: 3, truth },
      heads: right.map((head, i) => (i < wrong ? { ...head, label: "weather" } : head)),
    }));
    const { trainings, resampled } = calibrateGroups(groups, { permutations: 10 }).measures.right;
    // 1, .75 and .5: mean .75, s = .25, t₀.₉₇₅(2) = 4.303.
    expect(trainings?.mean).toBeCloseTo(0.75, 12);
    expect(trainings?.high).toBeCloseTo(0.75 + (4.30265 * 0.25) / Math.sqrt(3), 4);
    expect(resampled).toBeNull();
    expect(calibrate(right, truth).measures.right.trainings).toBeNull();
  });
});

describe("labels that know nothing", () => {
  it("are called significant in 5 of 100 cases at most, by every test", () => {
    const [runs, found] = [100, { permuted: 0, layers: 0, constant: 0 }];
    for (let run = 0; run < runs; run++) {
      const random = new Random(77, run);
      const drawn: Truth = {
        ...truth,
        shares: new Map(
          names.map((name) => [name, FACTORS.map((_, f) => random.unit() * (f === 0 ? 1.5 : 1))]),
        ),
      };
      const heads = names.map((name) => judged(name, random.pick(FACTORS), 1 + random.below(5)));
      const { measures, constant } = calibrate(heads, drawn, { permutations: 99, seed: run });
      if (measures.right.p! <= 0.05) found.permuted++;
      if (measures.right.layerP! <= 0.05) found.layers++;
      if (constant!.p <= 0.05) found.constant++;
    }
    // More than ten of a hundred would come up once in eighty-seven such tests.
    for (const count of Object.values(found)) expect(count).toBeLessThanOrEqual(10);
  });
});
