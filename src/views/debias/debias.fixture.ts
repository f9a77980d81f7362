import type { BaselineName, DebiasBaseline, DebiasResult, DebiasSelection } from "../../results/debias.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { type Head, headOf } from "../../results/shapes.ts";
import { band, forward, HOSTILE, named, share } from "../ablation/ablation.fixture.ts";

export const robust = (average: number, worst: number, group = HOSTILE) => ({
  average: share(average),
  worst: named(group, worst),
});
export const halves = (average: number, worst: number, group = HOSTILE) => ({
  ...{ validation: robust(average, worst, group), test: robust(average, worst, group) },
});

/** A way of choosing heads with a step for each of these outcomes. */
export const selection = (
  name: DebiasSelection["selection"],
  chosen: Head[],
  steps: ReturnType<typeof halves>[],
  outcome: ReturnType<typeof halves>,
  controls: DebiasSelection["controls"] = [],
): DebiasSelection => ({
  ...{ selection: name, order: [], chosen, outcome, controls },
  steps: steps.map((step, i) => ({ heads: chosen.slice(0, i + 1), ...step })),
});

/** Values of heads, two a layer unless otherwise said. */
export const gapOf = (values: readonly number[], mlps: number, whole: number, perLayer = 2) => ({
  heads: values.map((value, i) => ({ ...headOf(Math.floor(i / perLayer), i % perLayer), value })),
  ...{ mlps, whole },
});

/** A way that knows of no heads, with this outcome, and the lead of the heads over it. */
export const baseline = (
  name: BaselineName,
  average: number,
  worst: number,
  lead: number,
): DebiasBaseline => ({
  ...{
    baseline: name,
    directions: name === "linear probe" ? 0 : 1,
    outcome: halves(average, worst, "bird on land"),
  },
  lead: { mean: lead, low: lead - 0.01, high: lead + 0.01 },
});

export const cue: DebiasResult = {
  origin: sampleOrigin({ model: { name: HOSTILE, notice: HOSTILE }, index: {} }),
  ...{ cue: HOSTILE, factor: "label", replacement: "mean" },
  images: { validation: 20, test: 30, leftOut: 0 },
  before: halves(0.8, 0.3),
  gap: gapOf([0.04, -0.01], -0.02, 0.01),
  selections: [
    selection("selectivity", [headOf(0, 0)], [halves(0.9, 0.7), halves(0.6, 0.2)], halves(0.9, 0.7), [
      { from: "same layers", average: band(0.7), worst: band(0.4) },
    ]),
  ],
  used: 0,
  baselines: [baseline("LEACE", 0.85, 0.6, -0.02)],
  groups: [
    { name: HOSTILE, before: named("a", 0.3), after: named("a", 0.9), random: band(0.4) },
    { name: "b", before: named("b", 0.8), after: named("b", 0.7), random: null },
  ],
  randomSteps: [{ average: band(0.7), worst: band(0.3) }, null],
  forward: [{ ...forward, rows: [] }],
  exported: [],
};
