import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { shareAsHigh, tracesOf } from "./by-permutation.ts";

/** Vectors of unequal length and few effective dimensions, centred; [n][width]. */
function vectors(n: number, scales: readonly number[], seed: number): number[][] {
  const random = new Random(seed);
  const rows = Array.from({ length: n }, (_, i) =>
    scales.map(
      (scale) => scale * (i < n / 5 ? 2 : 1) * (random.unit() + random.unit() + random.unit() - 1.5),
    ),
  );
  const mean = scales.map((_, d) => rows.reduce((sum, row) => sum + row[d], 0) / n);
  return rows.map((row) => row.map((value, d) => value - mean[d]));
}

function tracesOfRows(rows: readonly (readonly number[])[]) {
  const width = rows[0].length;
  const moments = new Float64Array(width * width);
  let [first, diagonal] = [0, 0];
  for (const row of rows) {
    const length = row.reduce((sum, value) => sum + value ** 2, 0);
    first += length;
    diagonal += length ** 2;
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) moments[i * width + j] += row[i] * row[j];
  }
  return tracesOf({ n: rows.length, first, diagonal }, moments, width, undefined);
}

const between = (rows: readonly (readonly number[])[], groups: readonly number[], count: number) =>
  Array.from({ length: count }, (_, g) => {
    const own = rows.filter((_, i) => groups[i] === g);
    return rows[0].reduce((sum, _, d) => sum + own.reduce((s, row) => s + row[d], 0) ** 2 / own.length, 0);
  }).reduce((sum, of) => sum + of, 0);

function shuffled(groups: readonly number[], random: Random): number[] {
  const dealt = [...groups];
  for (let i = dealt.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [dealt[i], dealt[j]] = [dealt[j], dealt[i]];
  }
  return dealt;
}

describe("how often shuffled groups explain as much", () => {
  it.each([
    ["few dimensions, three unequal groups", [3, 1, 0.2], [6, 14, 20]],
    ["one dimension, two groups", [1], [10, 30]],
    ["many groups of few", [1, 1, 1, 1], Array.from({ length: 12 }, () => 4)],
  ])("%s: is what shuffling says", (_, scales, sizes) => {
    const groups = sizes.flatMap((size, g) => Array.from({ length: size }, () => g));
    const rows = vectors(groups.length, scales, 3);
    const traces = tracesOfRows(rows);
    const random = new Random(8);
    const drawn = Array.from({ length: 4000 }, () => between(rows, shuffled(groups, random), sizes.length));
    drawn.sort((a, b) => b - a);
    for (const share of [0.5, 0.1, 0.05, 0.01]) {
      const p = shareAsHigh(traces, sizes, drawn[Math.floor(share * drawn.length)]);
      expect(Math.abs(p - share), `${share}`).toBeLessThan(0.02 + 0.1 * share);
    }
    expect(shareAsHigh(traces, sizes, 0)).toBeGreaterThan(0.99);
  });

  it("of nothing, or of what is constant, says nothing", () => {
    expect(shareAsHigh({ n: 3, first: 1, second: 1, third: 1, diagonal: 1 }, [1, 2], 1)).toBe(1);
    expect(shareAsHigh({ n: 30, first: 0, second: 0, third: 0, diagonal: 0 }, [15, 15], 0)).toBe(1);
  });
});
