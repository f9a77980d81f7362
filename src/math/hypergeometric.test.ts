import { describe, expect, it } from "vitest";
import { atLeastByChance } from "./hypergeometric.ts";

const choose = (n: number, k: number): number => {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return k < 0 || k > n ? 0 : product;
};
const summed = (hits: number, drawn: number, kind: number, all: number) => {
  let sum = 0;
  for (let i = hits; i <= Math.min(drawn, kind); i++)
    sum += (choose(kind, i) * choose(all - kind, drawn - i)) / choose(all, drawn);
  return sum;
};

describe("how likely a set has so many of a kind by chance", () => {
  it("is the sum over all sets, on either side of the mean and at the ends", () => {
    for (const [drawn, kind, all] of [
      [8, 10, 40],
      [20, 25, 40],
      [39, 20, 40],
      [1, 1, 2],
      [5, 0, 9],
      [0, 4, 9],
    ])
      for (let hits = 0; hits <= drawn + 1; hits++)
        expect(atLeastByChance(hits, drawn, kind, all)).toBeCloseTo(summed(hits, drawn, kind, all), 9);
  });

  it("is exact where it is tiny", () => {
    expect(atLeastByChance(30, 30, 50, 500) / summed(30, 30, 50, 500)).toBeCloseTo(1, 6);
    // All of 2000 drawn from 20000, of 2000: 1 / C(20000, 2000).
    expect(atLeastByChance(2000, 2000, 2000, 20_000)).toBe(0);
  });
});
