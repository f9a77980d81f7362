import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holm } from "./holm.ts";
import { percentileInterval, quantile, sampleDeviation } from "./intervals.ts";
import { normalCdf } from "./normal.ts";
import { rankCorrelation } from "./rank-correlation.ts";
import { signTest } from "./sign-test.ts";
import { detectableShift, noncentralTail, studentP, studentQuantile } from "./student.ts";

describe("Student's t", () => {
  it.each([
    [0.975, 1, 12.7062],
    [0.975, 2, 4.30265],
    [0.8, 2, 1.06066],
    [0.975, 3, 3.18245],
    [0.975, 4, 2.77645],
    [0.975, 10, 2.22814],
    [0.8, 5, 0.91954],
    [0.99, 7, 2.99795],
    [0.975, 100, 1.98397],
  ])("has the quantiles of the tables: %f with %i degrees of freedom", (p, degrees, quoted) => {
    expect(studentQuantile(p, degrees)).toBeCloseTo(quoted, 4);
    expect(studentQuantile(1 - p, degrees)).toBeCloseTo(-quoted, 4);
  });
});

// Values of scipy 1.16.
describe("the normal distribution", () => {
  it.each([
    [-5, 2.866515718791933e-7],
    [-2.9, 0.0018658133003840375],
    [-0.3, 0.3820885778110474],
    [1.96, 0.9750021048517795],
    [3.1, 0.9990323967867817],
    [6, 0.9999999990134123],
  ])("has Φ(%f)", (x, quoted) => {
    expect(normalCdf(x) / quoted).toBeCloseTo(1, 12);
    expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 14);
  });
});

describe("the noncentral t distribution", () => {
  it.each([
    [4.30265, 2, 3, 0.3873896958735159],
    [4.30265, 2, 10, 0.9927467014333353],
    [10.886, 2, 5, 0.19412636112565443],
    [2.77645, 4, 4, 0.8432954335164426],
    [-4.30265, 2, 3, 0.9999892216612808],
    [12.7062, 1, 20, 0.8833945783443334],
  ])("has P(T' > %f) with %i degrees and shift %f", (t, degrees, shift, quoted) => {
    expect(noncentralTail(t, degrees, shift)).toBeCloseTo(quoted, 6);
  });

  it("says what a test finds four times in five", () => {
    expect(detectableShift(0.05, 0.8, 2)).toBeCloseTo(5.653489266197129, 5);
    expect(studentP(3.3, 4)).toBeCloseTo(0.029933420084126066, 10);
    expect(studentP(-10, 2)).toBeCloseTo(0.00985245702332569, 10);
  });
});

describe("many tests", () => {
  it("are corrected as Holm has it", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual(
      [0.03, 0.06, 0.06, 0.02].map((p) => expect.closeTo(p, 12)),
    );
    expect(holm([0.9, 0.5])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it("of signs are binomial", () => {
    expect(signTest(6, 0)).toBeCloseTo(1 / 64, 12);
    expect(signTest(0, 5)).toBeCloseTo(1, 12);
    expect(signTest(8, 2)).toBeCloseTo((45 + 10 + 1) / 1024, 12);
    expect(signTest(0, 0)).toBe(1);
    expect(signTest(600, 500)).toBeCloseTo(0.00140977, 8);
  });
});

describe("rank correlation", () => {
  it("knows order alone, and nothing of what does not vary", () => {
    expect(rankCorrelation([1, 2, 3, 4], [1, 10, 11, 500])).toBe(1);
    expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
    expect(rankCorrelation([1, 2, 3], [5, 5, 5])).toBeNull();
    expect(rankCorrelation([], [])).toBeNull();
  });

  it("gives equal values their mean rank", () => {
    // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5/√(4.5·5).
    expect(rankCorrelation([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  it("does not depend on the order of the pairs or on a rising scale", () => {
    const pair = fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 20 }), (pairs) => {
        const of = (list: typeof pairs) =>
          rankCorrelation(
            list.map(([a]) => a ** 3),
            list.map(([, b]) => 2 * b),
          );
        const plain = rankCorrelation(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
        const other = of([...pairs].reverse());
        if (plain === null || other === null) expect(plain).toBe(other);
        else expect(other).toBeCloseTo(plain, 10);
      }),
    );
  });
});

describe("intervals", () => {
  it("hold the middle of the draws", () => {
    const draws = Array.from({ length: 1001 }, (_, i) => (i * 10) % 1001);
    expect(percentileInterval(draws)).toEqual({ mean: 500, low: 25, high: 975 });
    expect(percentileInterval([])).toBeNull();
    expect(quantile([4, 1, 2], 0.75)).toBe(3);
  });

  it("know the deviation of a sample", () => {
    expect(sampleDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(sampleDeviation([1])).toBeNull();
  });
});
