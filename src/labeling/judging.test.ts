import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { agreementOf, joinVotes } from "./agreement.ts";
import { drawExam, examine } from "./exam.ts";
import type { Judge } from "./labeller.ts";
import { roganGladen } from "./rogan-gladen.ts";

const votes = (by: string, word: string) => ({ by, consistent: [...word].map((letter) => letter === "y") });

describe("agreement", () => {
  it("of two judges is Cohen's κ: .7 observed where .5 is by chance", () => {
    // Of 50: both yes 20, a alone 5, b alone 10, neither 15.
    const a = votes("a", "y".repeat(25) + "n".repeat(25));
    const b = votes("b", "y".repeat(20) + "n".repeat(5) + "y".repeat(10) + "n".repeat(15));
    const { verdicts, pairs } = agreementOf([a, b])!;
    expect(verdicts).toBe(50);
    expect(pairs[0]).toMatchObject({ judges: ["a", "b"], observed: 0.7 });
    expect(pairs[0].kappa).toBeCloseTo(0.4, 12);
  });

  it("of three judges is Fleiss' κ, with every pair beside it", () => {
    // Agreement 1, 1/3, 1, 1/3; half of the verdicts are yes, so chance gives 1/2.
    const found = agreementOf([votes("a", "yyny"), votes("b", "yynn"), votes("c", "ynnn")])!;
    expect(found.fleiss).toBeCloseTo((2 / 3 - 1 / 2) / (1 / 2), 12);
    expect(found.pairs.map(({ judges }) => judges.join(""))).toEqual(["ab", "ac", "bc"]);
  });

  it("says nothing of one judge, of no verdict, and of judges who always say the same", () => {
    expect(agreementOf([votes("a", "yn")])).toBeNull();
    expect(agreementOf([votes("a", ""), votes("b", "")])).toBeNull();
    const same = agreementOf([votes("a", "yyy"), votes("b", "yyy")])!;
    expect([same.pairs[0].observed, same.pairs[0].kappa, same.fleiss]).toEqual([1, null, null]);
    expect(() => agreementOf([votes("a", "y"), votes("b", "yn")])).toThrow(RangeError);
  });

  it("is over the heads that the same judges voted on", () => {
    const one = [votes("a", "yn"), votes("b", "yy")];
    expect(joinVotes([[], one, [votes("a", "n"), votes("c", "n")], one])).toEqual([
      votes("a", "ynyn"),
      votes("b", "yyyy"),
    ]);
    expect(joinVotes([[], []])).toEqual([]);
  });
});

describe("a share corrected for a judge's errors", () => {
  const of = (share: number, n: number) => ({ hits: Math.round(share * n), of: n });

  it("is the share itself where the judge makes none, and stays a share", () => {
    expect(roganGladen(of(0.6, 200), of(1, 100), of(1, 100))!.value).toBeCloseTo(0.6, 12);
    // .8·.9 + .2·.3 = .78 are called yes where .8 fit.
    expect(roganGladen(of(0.78, 100), of(0.9, 100), of(0.7, 100))!.value).toBeCloseTo(0.8, 12);
    const all = roganGladen(of(1, 100), of(0.9, 100), of(0.9, 100))!;
    expect([all.value, all.high]).toEqual([1, 1]);
    expect(roganGladen(of(0, 100), of(0.9, 100), of(0.9, 100))).toMatchObject({ value: 0, low: 0 });
  });

  it("says nothing of a judge who is no better than chance, or was never examined", () => {
    expect(roganGladen(of(0.8, 100), of(0.8, 100), of(0.2, 100))).toEqual({
      ...{ apparent: 0.8, value: null, low: 0, high: 1 },
    });
    expect(roganGladen(of(0.8, 100), of(0, 0), of(1, 100))).toBeNull();
    expect(roganGladen(of(0, 0), of(1, 100), of(1, 100))).toBeNull();
  });

  it("has Lang and Reiczigel's interval, as worked out apart from this program", () => {
    const { low, high } = roganGladen({ hits: 60, of: 240 }, { hits: 50, of: 60 }, { hits: 54, of: 60 })!;
    expect([low, high].map((value) => value.toFixed(6))).toEqual(["0.071774", "0.312987"]);
  });

  it.each([
    [0.6, 0.85, 0.8, 240, 60],
    [0.1, 0.9, 0.9, 240, 40],
    [0.95, 0.8, 0.7, 100, 30],
  ])("lies in its interval 95 times of 100, for a share of %d", (share, se, sp, n, exam) => {
    const draws = 1500;
    let covered = 0;
    for (let i = 0; i < draws; i++) {
      const random = new Random(7, i);
      const count = (of: number, p: () => number) => ({
        hits: Array.from({ length: of }, () => random.chance(p())).filter(Boolean).length,
        of,
      });
      const yes = count(n, () => (random.chance(share) ? se : 1 - sp));
      const { low, high } = roganGladen(
        yes,
        count(exam, () => se),
        count(exam, () => sp),
      )!;
      if (low <= share && share <= high) covered++;
    }
    expect(covered / draws).toBeGreaterThan(0.93);
  });
});

describe("an exam for judges", () => {
  const texts = ["colour", "animal", "Colors", "place"].flatMap((property) =>
    Array.from({ length: 8 }, (_, i) => ({ text: `${property} ${i}`, property })),
  );
  /** Says yes to a property's own texts, but never to `blind` ones, and always to `fond` ones. */
  const judge =
    (blind: RegExp, fond: RegExp): Judge =>
    async (label, { descriptions }) => ({
      consistent: descriptions.map(
        ({ text }) => fond.test(text) || (text.startsWith(label) && !blind.test(text)),
      ),
      judge: { kind: "llm", by: "j", promptHash: null, date: null, votes: [] },
    });
  const verdicts = { hits: 50, of: 100 };
  const nothing = /^$/;

  it("asks of every property about texts that speak of it and distractors that do not", () => {
    const exam = drawExam([...texts, { text: "no tag", property: null }], 40, 3);
    expect(exam).toEqual(drawExam(texts, 40, 3));
    expect(new Set(exam.map(({ label }) => label)).size).toBe(4);
    for (const { label, head, fits } of exam) {
      expect(new Set(head.descriptions.map(({ text }) => text)).size).toBe(5);
      for (const [i, { text }] of head.descriptions.entries()) {
        expect(text.startsWith(label)).toBe(fits[i]);
        // Another spelling of the same property is no distractor.
        if (label === "colour") expect(text).not.toContain("Colors");
      }
    }
    const share = exam.flatMap(({ fits }) => fits).filter(Boolean).length / 200;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
    const alone = texts.filter(({ property }) => /colo/i.test(property));
    expect(() => drawExam(alone, 5)).toThrow(expect.objectContaining({ code: "TAGS_MISSING" }));
  });

  it("finds sensitivity and specificity, and corrects consistency for them", async () => {
    const exam = drawExam(texts, 60);
    const perfect = await examine(exam, judge(nothing, nothing), { verdicts });
    expect(perfect.majority).toMatchObject({ sensitivity: { share: 1 }, specificity: { share: 1 } });
    expect(perfect.corrected).toMatchObject({ apparent: 0.5, value: 0.5 });
    const lenient = await examine(exam, judge(nothing, /[0-3]$/), { verdicts });
    expect(lenient.majority.sensitivity.share).toBe(1);
    expect(lenient.majority.specificity.share).toBeGreaterThan(0.4);
    expect(lenient.majority.specificity.share).toBeLessThan(0.6);
    expect(lenient.corrected?.value).toBeLessThan(0.2);
    const strict = await examine(exam, judge(/[0-3]$/, nothing), { verdicts });
    expect(strict.majority.specificity.share).toBe(1);
    expect(strict.corrected?.value).toBeGreaterThan(0.8);
  });
});
