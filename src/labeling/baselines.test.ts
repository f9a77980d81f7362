import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headOf } from "../results/shapes.ts";
import { judgeHeads, measureBaselines } from "./baselines.ts";
import { pluralityByChance } from "./chance.ts";
import { ccsOf, measureLabels } from "./metrics.ts";
import { tagJudge, tagLabeller } from "./tags.ts";

const byTags = { labeller: tagLabeller(""), judge: tagJudge("") };
const tagged = (property: string | null, n = 0) => ({ text: `${property ?? "untagged"} ${n}`, property });
const described = (property: string, n = 0) => ({ ...tagged(property, n), explainedVariance: 1 / (n + 2) });
/** A pool with so many texts of each tag. */
const poolOf = (sizes: Readonly<Record<string, number>>, untagged = 0) => [
  ...Object.entries(sizes).flatMap(([property, size]) =>
    Array.from({ length: size }, (_, n) => tagged(property, n)),
  ),
  ...Array.from({ length: untagged }, (_, n) => tagged(null, n)),
];

describe("the plurality count of random texts", () => {
  it("is known where it can be counted by hand", () => {
    // Five of ten texts, five of each of two tags: all five of one tag in 2 of C(10, 5) = 252 draws.
    const [none, one, two, three, four, five] = pluralityByChance(poolOf({ a: 5, b: 5 }));
    expect([none, one, two]).toEqual([0, 0, 0]);
    expect(three).toBeCloseTo(200 / 252, 12);
    expect(four).toBeCloseTo(50 / 252, 12);
    expect(five).toBeCloseTo(2 / 252, 12);
    expect(pluralityByChance(poolOf({}, 6))).toEqual([1, 0, 0, 0, 0, 0]);
    expect(pluralityByChance(poolOf({ a: 1, b: 1, c: 1, d: 1, e: 1 }))[1]).toBeCloseTo(1, 12);
    expect(() => pluralityByChance(poolOf({ a: 4 }))).toThrow("no 5 to draw");
  });

  it("sums to one for every pool", () => {
    const size = fc.integer({ min: 1, max: 900 });
    fc.assert(
      fc.property(fc.array(size, { minLength: 5, maxLength: 12 }), fc.nat(50), (sizes, untagged) => {
        const pool = poolOf(Object.fromEntries(sizes.map((n, i) => [`t${i}`, n])), untagged);
        const chance = pluralityByChance(pool);
        expect(chance.reduce((total, p) => total + p, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...chance)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe("baselines", async () => {
  const pool = poolOf({ colour: 40, animal: 120, count: 30, style: 10 }, 20);
  const pure = ["colour", "animal", "count", "style"].flatMap((property, layer) =>
    Array.from({ length: 4 }, (_, h) => ({
      ...headOf(layer, h),
      descriptions: Array.from({ length: 8 }, (_, n) => described(property, n)),
    })),
  );
  const found = await measureBaselines(pure, pool, byTags, { draws: 2000 });

  it("of random texts agree with the exact chance of the pool", () => {
    const chance = pluralityByChance(pool);
    const expected = chance.reduce((total, p, ccs) => total + p * ccs, 0);
    expect(found.randomTexts.meanCcs?.mean).toBeCloseTo(expected, 1);
    const association = chance[3] + chance[4] + chance[5];
    expect(found.randomTexts.association?.mean).toBeCloseTo(association, 1);
  });

  it("lie below heads that each have one subject", async () => {
    const { meanCcs, association } = measureLabels(await judgeHeads(pure, byTags));
    expect(meanCcs).toBe(5);
    for (const baseline of Object.values(found)) {
      expect(baseline.meanCcs?.high).toBeLessThan(meanCcs!);
      expect(baseline.association?.mean).toBeLessThan(association!);
    }
    // One label of four fits a pure head: a mean CCS of 5/4.
    expect(found.randomLabels.meanCcs?.mean).toBeCloseTo(1.25, 1);
    // Four heads have each label at random: hardly any is alone.
    expect(found.randomLabels.entanglement?.mean).toBeCloseTo(1 - 0.75 ** 15, 2);
  });

  it("are the same for the same seed and others for another", async () => {
    const again = (seed: number) => measureBaselines(pure, pool, byTags, { draws: 50, seed });
    expect(await again(0)).toEqual(await again(0));
    expect(await again(7)).not.toEqual(await again(0));
  });

  it("judge by the first five descriptions", async () => {
    const five = Array.from({ length: 5 }, (_, n) => described("a", n));
    const descriptions = [...five, described("b"), described("b", 1)];
    const [head] = await judgeHeads([{ ...headOf(0, 0), descriptions }], byTags);
    expect([head.label, ccsOf(head), head.consistent.length]).toEqual(["a", 5, 5]);
  });
});
