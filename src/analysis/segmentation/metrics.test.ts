import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  averagePrecision,
  bootstrap,
  differences,
  intervals,
  type MaskScore,
  measure,
  normaliseMap,
  resamples,
  scoreMask,
  threshold,
} from "./metrics.ts";

describe("normaliseMap and threshold", () => {
  it("clip at zero, stretch to [0, 1], and cut above the mean", () => {
    const relevance = normaliseMap(Float64Array.of(-3, 0, 1, 4));
    expect([...relevance]).toEqual([0, 0, 0.25, 1]);
    expect([...threshold(relevance)]).toEqual([0, 0, 0, 1]);
  });

  it("take a map without anything positive as all background", () => {
    const relevance = normaliseMap(Float64Array.of(-3, -1, -2, -9));
    expect([...relevance]).toEqual([0, 0, 0, 0]);
    const score = scoreMask(relevance, Int8Array.of(1, 0, 0, 0));
    expect(score).toMatchObject({ correct: 3, labelled: 4, intersection: [3, 0], union: [4, 1] });
    // Every score is 0, so any order is as good: half of the 2·n statements are true.
    expect(score.precision).toBe(0.5);
  });
});

describe("averagePrecision", () => {
  it("is scikit-learn's on its documented example", () => {
    // y_true = [0, 0, 1, 1], y_scores = [0.1, 0.4, 0.35, 0.8] → 0.83…
    expect(averagePrecision(Float64Array.of(0.35, 0.8), Float64Array.of(0.1, 0.4))).toBeCloseTo(5 / 6, 14);
  });

  it("counts equal scores together, is 1 for a perfect order and 0 where nothing is true", () => {
    expect(averagePrecision(Float64Array.of(1, 1), Float64Array.of(1, 1))).toBe(0.5);
    expect(averagePrecision(Float64Array.of(3, 2), Float64Array.of(1, 0))).toBe(1);
    expect(averagePrecision(Float64Array.of(), Float64Array.of(1, 0))).toBe(0);
  });
});

describe("scoreMask", () => {
  it("on a case done by hand, with a pixel that is not labelled", () => {
    const relevance = Float64Array.of(0, 0.2, 0.9, 1, 0.4);
    // mean 0.5: the third and fourth are foreground
    const score = scoreMask(relevance, Int8Array.of(0, 1, 1, 0, -1));
    expect(score).toMatchObject({ correct: 2, labelled: 4, intersection: [1, 1], union: [3, 3] });
    // true: 1−0, 0.2, 0.9, 1−1; false: 0, 0.8, 0.1, 1. Down from 1: {T,F} ½·¼, 0.9 T ⅔·¼, 0.8 F, 0.2 T ⅗·¼, 0.1 F, 0 {T,F} ½·¼
    expect(score.precision).toBeCloseTo((1 / 2 + 2 / 3 + 3 / 5 + 4 / 8) / 4, 14);
  });

  it("agrees with another route on random maps: sets of pixels, and precision at every threshold", () => {
    // From 0 to 4 and below, so that relevances are quarters and no comparison with the mean hangs on rounding.
    const kind = fc.constantFrom(-1, 0, 1);
    const pixels = fc.array(fc.tuple(fc.integer({ min: -3, max: 4 }), kind), { maxLength: 60 });
    const ends = fc.oneof(fc.tuple(fc.constant(4), kind), fc.tuple(fc.constant(-2), kind));
    fc.assert(
      fc.property(pixels, ends, kind, fc.boolean(), (inside, end, last, flat) => {
        const all = [...inside, end, [0, last]].map(([value, of]) => [flat ? -1 : value, of]);
        if (!flat && !all.some(([value]) => value === 4)) all.push([4, last]);
        const relevance = normaliseMap(Float64Array.from(all, ([value]) => value));
        const mask = Int8Array.from(all, ([, of]) => of);
        const score = scoreMask(relevance, mask);
        const other = byAnotherRoute([...relevance], [...mask]);
        expect(score).toMatchObject({
          correct: other.correct,
          labelled: other.labelled,
          intersection: other.intersection,
          union: other.union,
        });
        expect(score.precision).toBeCloseTo(other.precision, 12);
      }),
    );
  });
});

/** The same numbers from their definitions, slowly. */
function byAnotherRoute(relevance: number[], mask: number[]) {
  const all = relevance.map((value, i) => ({ value, kind: mask[i] }));
  const mean = all.reduce((sum, { value }) => sum + value, 0) / all.length;
  const flat = all.every(({ value }) => value === 0);
  const labelled = all.filter(({ kind }) => kind !== -1);
  const side = (kind: number) => {
    const inMap = new Set(labelled.filter(({ value }) => (!flat && value > mean ? 1 : 0) === kind));
    const inMask = new Set(labelled.filter((pixel) => pixel.kind === kind));
    const both = [...inMap].filter((pixel) => inMask.has(pixel));
    return { both: both.length, either: new Set([...inMap, ...inMask]).size };
  };
  const [background, foreground] = [side(0), side(1)];
  const statements = labelled.flatMap(({ value, kind }) => [
    { score: flat ? 0 : 1 - value, isTrue: kind === 0 },
    { score: value, isTrue: kind === 1 },
  ]);
  let [precision, recall] = [0, 0];
  for (const level of [...new Set(statements.map(({ score }) => score))].sort((a, b) => b - a)) {
    const chosen = statements.filter(({ score }) => score >= level);
    const hits = chosen.filter(({ isTrue }) => isTrue).length;
    const reached = hits / (labelled.length || 1);
    precision += (reached - recall) * (hits / chosen.length);
    recall = reached;
  }
  return {
    correct: background.both + foreground.both,
    labelled: labelled.length,
    intersection: [background.both, foreground.both],
    union: [background.either, foreground.either],
    precision,
  };
}

const score = (correct: number, precision: number): MaskScore => ({
  ...{ correct, labelled: 10, precision },
  intersection: [correct - 1, 1],
  union: [9, 10 - correct + 2],
});

describe("measure", () => {
  it("sums pixels over images before it divides, and averages precision over images", () => {
    const two = [score(9, 0.9), score(5, 0.5)];
    const { pixelAccuracy, meanIou, meanPrecision } = measure(two);
    expect(pixelAccuracy).toBeCloseTo(0.7, 14);
    expect(meanIou).toBeCloseTo((12 / 18 + 2 / 10) / 2, 14);
    expect(meanPrecision).toBeCloseTo(0.7, 14);
    expect(measure(two, [2, 0])).toEqual(measure([two[0]]));
  });

  it("has intervals around the value that the seed fixes, and none where all images are alike", () => {
    const scores = Array.from({ length: 40 }, (_, i) => score(3 + (i % 6), (i % 7) / 7));
    const images = scores.map((_, i) => i);
    const of = (seed: number) => intervals(bootstrap({ scores, images }, resamples(40, 200, seed)));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    const { value, low, high } = of(1).meanPrecision;
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    const alike = bootstrap({ scores: scores.map(() => scores[0]), images }, resamples(40, 50, 0));
    expect(intervals(alike).meanIou.low).toBeCloseTo(intervals(alike).meanIou.high, 12);
    expect(differences(alike, alike).meanIou).toEqual({ value: 0, low: 0, high: 0 });
  });

  it("draws an image with all of its scores", () => {
    for (const draw of resamples(9, 20, 3)) expect(draw.reduce((sum, times) => sum + times, 0)).toBe(9);
    const scores = [score(9, 1), score(9, 1), score(2, 0)];
    const one = bootstrap({ scores, images: [0, 0, 1] }, [Uint16Array.of(2, 0)]);
    expect(intervals(one).meanPrecision).toEqual({ value: 2 / 3, low: 1, high: 1 });
  });
});
