import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headNamed } from "../results/shapes.ts";
import { commonestTag, fitsByTag, tagJudge, tagLabeller } from "./tags.ts";

const tagged = (property: string | null, explainedVariance = 0.1) => ({ property, explainedVariance });
const described = (...tags: (string | null)[]) => ({
  ...headNamed("L0.H0"),
  descriptions: tags.map((property, i) => ({ text: `t${i}`, property, explainedVariance: 0.1 })),
});
const pool = fc.array(
  fc.record({
    property: fc.constantFrom("colour", "animal", "place", null),
    explainedVariance: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 8 },
);

describe("the commonest tag", () => {
  it("wins; a tie goes to the one that explains more variance, then to the first by name", () => {
    expect(commonestTag([tagged("a"), tagged("b"), tagged("b")])).toBe("b");
    expect(commonestTag([tagged("a", 0.1), tagged("b", 0.3)])).toBe("b");
    expect(commonestTag([tagged("b"), tagged("a")])).toBe("a");
    expect(commonestTag([tagged(null), tagged(null), tagged("a")])).toBe("a");
  });

  it("is that of no fewer descriptions than any other, whatever their order", () => {
    fc.assert(
      fc.property(pool, fc.integer(), (descriptions, seed) => {
        fc.pre(descriptions.some(({ property }) => property !== null));
        const label = commonestTag(descriptions);
        const count = (tag: string) => descriptions.filter(({ property }) => property === tag).length;
        for (const tag of ["colour", "animal", "place"])
          expect(count(label)).toBeGreaterThanOrEqual(count(tag));
        expect(fitsByTag(label, descriptions).filter(Boolean)).toHaveLength(count(label));
        // Variances here are sums of few numbers, so turning the list round may only change a tie's last bits.
        const turned = [
          ...descriptions.slice(seed % descriptions.length),
          ...descriptions.slice(0, seed % descriptions.length),
        ];
        expect(count(commonestTag(turned))).toBe(count(label));
      }),
    );
  });

  it("is missing where no description has one", async () => {
    expect(() => commonestTag([tagged(null)])).toThrow(/no description/);
    await expect(tagLabeller()(described(null, null), {})).rejects.toMatchObject({ code: "TAGS_MISSING" });
    await expect(tagJudge()("x", described(null), {})).rejects.toThrow(/L0\.H0/);
    expect(await tagLabeller()(described(), {})).toBeUndefined();
  });
});

describe("a judge by tags", () => {
  it("takes a description whose tag is the label, but for case, plural, spaces and spelling", () => {
    const tags = ["colour", "Colors", "body part", "animal", null].map((property) => tagged(property));
    expect(fitsByTag("color", tags)).toEqual([true, true, false, false, false]);
    expect(fitsByTag("Bodyparts", tags)).toEqual([false, false, true, false, false]);
  });

  it("says when it judged; the same date gives the same bytes", async () => {
    const head = described("colour", "animal");
    const once = await Promise.all([tagLabeller("2024")(head, {}), tagJudge("2024")("colour", head, {})]);
    const twice = await Promise.all([tagLabeller("2024")(head, {}), tagJudge("2024")("colour", head, {})]);
    expect(JSON.stringify(twice)).toBe(JSON.stringify(once));
    expect(once[0]?.labeller.date).toBe("2024");
  });
});
