import { describe, expect, it } from "vitest";
import { headOf } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { measureLabelBaselines } from "./label-baselines.ts";
import type { Judge } from "./labeller.ts";
import { ccsOf, type JudgedHead } from "./metrics.ts";

/** Twelve heads: six about places, four about colours, two about animals, whose five texts all say so. */
const words = ["place", "colour", "animal"].flatMap((word, i) => Array<string>(6 - 2 * i).fill(word));
const described = words.map((word, h) => ({
  ...headOf(3, h),
  descriptions: Array.from({ length: 7 }, (_, i) => ({
    ...{ text: `${word} ${h}.${i}`, property: null, explainedVariance: 0.1 },
  })),
}));

/** Says what is true, and counts how often it is asked. */
function judging() {
  const asked: string[] = [];
  const judge: Judge = async (label, { name, descriptions }) => {
    asked.push(`${label} ${name}`);
    return {
      consistent: descriptions.map(({ text }) => text.startsWith(label)),
      judge: { kind: "llm", by: "j", promptHash: null, date: null, votes: [] },
    };
  };
  return { judge, asked };
}
const heads: JudgedHead[] = words.map((label, h) => ({
  ...headOf(3, h),
  ...{ label, consistent: Array(5).fill(true) },
}));

describe("labels that say nothing", () => {
  it("are one for all, given ones at random, and those of other heads, as the same judge sees them", async () => {
    const { judge } = judging();
    const { constant, random, permuted } = await measureLabelBaselines(heads, described, judge, {
      draws: 400,
    });
    // Half of the heads are about places: these have CCS 5, the others 0.
    expect(constant.meanCcs).toEqual({ mean: 2.5, low: 2.5, high: 2.5 });
    expect(constant.entanglement?.mean).toBe(1);
    // A third of the labels fits, whatever the head.
    expect(random.meanCcs?.mean).toBeCloseTo(5 / 3, 0);
    // Of twelve dealt out, 6²/12 + 4²/12 + 2²/12 fit on average.
    expect(permuted.meanCcs?.mean).toBeCloseTo((5 * (36 + 16 + 4)) / 144, 1);
    expect(permuted.meanCcs!.high).toBeLessThan(5);
    expect(permuted.entanglement?.mean).toBe(1);
    expect(permuted).toEqual(
      (await measureLabelBaselines(heads, described, judge, { draws: 400, concurrency: 4 })).permuted,
    );
  });

  it("are judged once a head and label, by five descriptions", async () => {
    const { judge, asked } = judging();
    await measureLabelBaselines(heads, described, judge, { draws: 200, concurrency: 3 });
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeLessThanOrEqual(3 * 12);
    const counted = await judge("place", described[0], {});
    expect(ccsOf({ consistent: counted.consistent })).toBe(5);
  });

  it("leave out a head that the judge has no usable answer about, and nothing else", async () => {
    const { judge } = judging();
    const mute: Judge = async (label, head, options) => {
      if (head.name === "L3.H0") throw new ClipInterpretError("LLM_REFUSED", "no");
      return judge(label, head, options);
    };
    const { constant } = await measureLabelBaselines(heads, described, mute, { draws: 3 });
    expect(constant.meanCcs?.mean).toBeCloseTo((5 * 5) / 11, 12);
    const gone: Judge = async () => {
      throw new ClipInterpretError("LLM_UNREACHABLE", "gone");
    };
    await expect(measureLabelBaselines(heads, described, gone, { draws: 3 })).rejects.toThrow("gone");
    const none = await measureLabelBaselines([], [], judge, { draws: 3 });
    expect(none.permuted.meanCcs).toBeNull();
  });
});
