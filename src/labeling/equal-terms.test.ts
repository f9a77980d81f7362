import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { headOf } from "../results/shapes.ts";
import { shuffled } from "./baselines.ts";
import { beyond, equalTerms, rarefy } from "./equal-terms.ts";

const entangled = (labels: readonly string[]) =>
  labels.filter((label) => labels.filter((other) => other === label).length > 1).length / labels.length;

describe("rarefied metrics", () => {
  const labels = ["a", "a", "a", "b", "b", "c", "d", "e"];

  it("of all heads are the plain ones", () => {
    expect(rarefy(labels, 8).entanglement).toBeCloseTo(5 / 8, 12);
    expect(rarefy(labels, 8).duplicates).toBeCloseTo(1 - 5 / 8, 12);
    expect(rarefy(labels, 1)).toEqual({ entanglement: 0, duplicates: 0 });
    expect(rarefy(labels, 0)).toEqual({ entanglement: 0, duplicates: 0 });
  });

  it("equal the mean over every choice of heads", () => {
    const subsets = Array.from({ length: 1 << labels.length }, (_, bits) =>
      labels.filter((_, i) => (bits >> i) & 1),
    );
    for (const m of [2, 3, 5, 7]) {
      const of = subsets.filter((subset) => subset.length === m);
      const mean = (f: (subset: string[]) => number) => of.reduce((sum, one) => sum + f(one), 0) / of.length;
      const { entanglement, duplicates } = rarefy(labels, m);
      expect(entanglement).toBeCloseTo(mean(entangled), 12);
      expect(duplicates).toBeCloseTo(
        mean((subset) => 1 - new Set(subset).size / m),
        12,
      );
    }
  });

  it("do not grow with the number of heads, as the plain ones do", () => {
    const many = Array.from({ length: 400 }, (_, i) => `label ${i % 40}`);
    const drawn = [24, 48, 96].map((n) => {
      const samples = Array.from({ length: 60 }, (_, s) => shuffled(many, new Random(3, s)).slice(0, n));
      const mean = (f: (sample: string[]) => number) =>
        samples.reduce((sum, sample) => sum + f(sample), 0) / samples.length;
      return [mean(entangled), mean((sample) => rarefy(sample, 24).entanglement)];
    });
    expect(drawn[2][0] - drawn[0][0]).toBeGreaterThan(0.3);
    expect(Math.abs(drawn[2][1] - drawn[0][1])).toBeLessThan(0.05);
  });

  it("cannot be of more heads than there are", () => {
    expect(() => rarefy(labels, 9)).toThrow(RangeError);
  });
});

describe("equal terms", () => {
  const model = (layers: number, from: number, width: number) => ({
    layers,
    heads: Array.from({ length: (layers - from) * width }, (_, i) => ({
      ...headOf(from + Math.floor(i / width), i % width),
      ...{ label: "a", consistent: [] },
    })),
  });

  it("are the part that is analysed of every model", () => {
    // The last four of 12 and of 24 layers: a third and a sixth.
    const models = [model(12, 8, 12), model(24, 20, 16)];
    const terms = equalTerms(models);
    expect(terms.from).toBeCloseTo(20 / 24, 12);
    expect(terms.heads).toBe(24);
    expect(beyond(models[0], terms.from).map(({ layer }) => layer)).toEqual([
      ...Array.from({ length: 12 }, () => 10),
      ...Array.from({ length: 12 }, () => 11),
    ]);
    expect(beyond(models[1], terms.from).length).toBe(64);
  });

  it("of models that are analysed whole are all of them", () => {
    expect(equalTerms([model(4, 0, 4), model(6, 0, 6)])).toEqual({ from: 0, heads: 16 });
  });
});
