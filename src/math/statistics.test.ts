import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentileInterval, quantile, sampleDeviation } from "./intervals.ts";
import { rankCorrelation } from "./rank-correlation.ts";
import { studentQuantile } from "./student.ts";

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
