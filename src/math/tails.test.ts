import { describe, expect, it } from "vitest";
import { adjusted, gammaTail, normalTails } from "./tails.ts";

describe("tails", () => {
  it("are those of tables", () => {
    for (const x of [0.01, 0.5, 1, 3, 10, 40]) {
      expect(gammaTail(1, x)).toBeCloseTo(Math.exp(-x), 14);
      expect(gammaTail(3, x) / (Math.exp(-x) * (1 + x + x ** 2 / 2))).toBeCloseTo(1, 10);
    }
    for (const [z, p] of [
      [0, 1],
      [1, 0.3173105079],
      [1.959963985, 0.05],
      [-3.290526731, 0.001],
      [6, 1.97317529e-9],
    ]) {
      expect(normalTails(z) / p).toBeCloseTo(1, 8);
    }
    expect(gammaTail(200, 200)).toBeCloseTo(0.4906, 3);
    expect(gammaTail(2, 0)).toBe(1);
    expect(gammaTail(2, 2000)).toBe(0);
  });

  it("are adjusted for their number as Benjamini and Hochberg do", () => {
    expect(adjusted([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(12)))).toEqual([
      0.02, 0.04, 0.04, 0.02,
    ]);
    expect(adjusted([0.9, 0.5])).toEqual([0.9, 0.9]);
    expect(adjusted([])).toEqual([]);
  });
});
