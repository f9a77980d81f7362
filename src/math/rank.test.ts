import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "./random.ts";
import { distribution, largest, percentiles, smallest } from "./rank.ts";

const numbers = fc.array(fc.constantFrom(-2, -1, -0.5, 0, 0.5, 1, 2, 3), { maxLength: 60 });

describe("the largest and smallest of many", () => {
  it("are those of a full sort, ties in order", () => {
    fc.assert(
      fc.property(numbers, fc.nat(20), fc.uniqueArray(fc.nat(59)), (values, k, skipped) => {
        const skip = new Set(skipped);
        const rows = values.map((_, i) => i).filter((i) => !skip.has(i));
        const down = [...rows].sort((a, b) => values[b] - values[a] || a - b).slice(0, k);
        const up = [...rows].sort((a, b) => values[a] - values[b] || a - b).slice(0, k);
        expect(largest(values, k, skip)).toEqual(down);
        expect(smallest(values, k, skip)).toEqual(up);
      }),
    );
  });

  it("leave out what is not a number", () => {
    expect(largest([Number.NaN, 1, Number.NaN, 2], 2)).toEqual([3, 1]);
  });
});

describe("a distribution", () => {
  it("has the median and the percentiles that sorting gives, with and without ties", () => {
    const random = new Random(5);
    for (let n = 1; n < 200; n++) {
      const values = Float32Array.from({ length: n }, () =>
        n % 3 === 0 ? random.below(7) : random.between(-1, 1),
      );
      const sorted = values.slice().sort();
      const { least, median, most } = distribution(values);
      expect([least, most]).toEqual([sorted[0], sorted[n - 1]]);
      expect(median).toBe((sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2);
      const asked = [values[0], sorted[n - 1], 0.5, values[0], -2, 9];
      const below = asked.map((value) => (100 * values.filter((other) => other < value).length) / n);
      expect(percentiles(values, asked)).toEqual(below);
    }
  });

  it("has the median that sorting gives of very many: even and odd, with ties, with one far out, and of two values", () => {
    const random = new Random(6);
    const draws: ((i: number) => number)[] = [
      () => random.normal(),
      () => random.below(5),
      (i) => (i === 7 ? 1e30 : random.normal()),
      (i) => (i % 2 === 0 ? -1 : 1),
      () => 3,
    ];
    for (const draw of draws) {
      for (const n of [20_000, 20_001]) {
        const drawn = Float64Array.from({ length: n }, (_, i) => draw(i));
        for (const values of [drawn, new Float32Array(drawn)]) {
          const sorted = values.slice().sort();
          const wanted = (sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2;
          expect(distribution(values).median).toBe(wanted);
        }
      }
    }
  });

  it("is that of the numbers", () => {
    expect(distribution(Float64Array.of(4, 1, 3, 2))).toEqual({
      ...{ mean: 2.5, deviation: Math.sqrt(1.25), least: 1, median: 2.5, most: 4 },
    });
    expect(distribution(Float64Array.of(5)).deviation).toBe(0);
    expect(distribution(new Float64Array(0)).mean).toBe(0);
  });

  it("ranks a value by the share that lies below it", () => {
    expect(percentiles(Float64Array.of(1, 2, 2, 3), [1, 2, 3, 9])).toEqual([0, 25, 75, 100]);
  });
});
