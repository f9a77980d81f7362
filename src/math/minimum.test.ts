import { describe, expect, it } from "vitest";
import { percentileInterval } from "./intervals.ts";
import { binomialTail, minimumShare } from "./minimum.ts";
import { Random } from "./random.ts";
import { wilson } from "./wilson.ts";

/** How often intervals hold the true minimum, over experiments with groups of n images of these true shares. */
function coverage(shares: readonly number[], n: number, experiments: number) {
  const truth = Math.min(...shares);
  const held = { minimum: 0, selected: 0, percentiles: 0 };
  const count = (random: Random, p: number) => {
    let hits = 0;
    for (let i = 0; i < n; i++) if (random.unit() < p) hits++;
    return hits;
  };
  for (let run = 0; run < experiments; run++) {
    const random = new Random(7, run);
    const groups = shares.map((p) => ({ hits: count(random, p), n }));
    const lowest = Math.min(...groups.map(({ hits }) => hits));
    const drawn = Array.from({ length: 60 }, () =>
      Math.min(...groups.map(({ hits }) => count(random, hits / n) / n)),
    );
    const holds = ({ low, high }: { low: number; high: number }) => (low <= truth && truth <= high ? 1 : 0);
    held.minimum += holds(minimumShare(groups));
    held.selected += holds(wilson(lowest, n));
    held.percentiles += holds(percentileInterval(drawn)!);
  }
  return {
    minimum: held.minimum / experiments,
    selected: held.selected / experiments,
    percentiles: held.percentiles / experiments,
  };
}

describe("the interval of a worst group", () => {
  it("holds the true minimum of 24 groups alike, where Wilson's of the one that looks worst does not", () => {
    const found = coverage(
      Array.from({ length: 24 }, () => 0.9),
      40,
      150,
    );
    expect(found.minimum).toBeGreaterThanOrEqual(0.9);
    expect(found.selected).toBeLessThan(0.75);
    // Nor do the bootstrap's plain percentiles.
    expect(found.percentiles).toBeLessThan(0.2);
  });

  it.each([
    ["one group clearly the worst", [0.33, ...Array.from({ length: 23 }, () => 0.98)]],
    ["six of 24 about as bad", Array.from({ length: 24 }, (_, g) => (g < 6 ? 0.4 : 0.97))],
    ["groups of all kinds", Array.from({ length: 24 }, (_, g) => 0.5 + 0.02 * g)],
  ])("holds it with %s", (_, shares) => {
    expect(coverage(shares, 40, 150).minimum).toBeGreaterThanOrEqual(0.9);
  });

  it("of one group is an interval of its share, and always holds what was seen", () => {
    const { share, low, high } = minimumShare([{ hits: 30, n: 40 }]);
    expect(share).toBe(0.75);
    expect(low).toBe(wilson(30, 40).low);
    // Clopper and Pearson's upper end.
    expect(high).toBeCloseTo(0.8731, 4);
    expect(
      minimumShare([
        { hits: 0, n: 3 },
        { hits: 5, n: 5 },
      ]).low,
    ).toBe(0);
    expect(
      minimumShare([
        { hits: 4, n: 4 },
        { hits: 9, n: 9 },
      ]),
    ).toMatchObject({ share: 1, high: 1 });
  });
});

describe("the binomial's lower tail", () => {
  it("is the sum of its terms, near and far from the middle", () => {
    for (const [k, n, p, tail] of [
      [0, 5, 0.5, 1 / 32],
      [2, 4, 0.5, 11 / 16],
      [9, 10, 0.9, 1 - 0.9 ** 10],
      [3, 3, 0.2, 1],
      // Both tails of an even coin: (1 − P(500)) / 2 + P(500).
      [500, 1000, 0.5, 0.5126125],
    ]) {
      expect(binomialTail(k, n)(p)).toBeCloseTo(tail, 7);
    }
    expect(binomialTail(100_000, 200_000)(0.5)).toBeCloseTo(0.500892, 6);
  });
});
