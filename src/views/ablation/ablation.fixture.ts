import type { DebiasPicture } from "../debias/words.ts";
import type { AblationPicture } from "./svg.ts";

export const share = (value: number) => ({
  share: value,
  low: Math.max(0, value - 0.1),
  high: Math.min(1, value + 0.1),
  n: 50,
});
export const band = (mean: number) => ({
  ...{ draws: 20, exhaustive: false, mean, low: mean - 0.1, high: mean + 0.1 },
  ...{ least: mean - 0.2, most: mean + 0.2, atMost: 0.15, atLeast: 0.85 },
});
export const HOSTILE = '<script>alert("x")</script>\u202e & é';
export const row = (name: string, kind: string, at: number | null, value: number, random = true) => ({
  ...{ name, kind, at, heads: ["L0.H0"], mlps: 0, accuracy: share(value), worst: null },
  random: random ? band(value + 0.05) : null,
});

export const ablation: AblationPicture = {
  ...{ model: HOSTILE, images: 50, classes: 4, mode: "mean", chance: 0.25, notice: HOSTILE },
  whole: { accuracy: share(0.9), worst: null },
  rows: [
    row(HOSTILE, "set", null, 0.5),
    row("every MLP", "all", null, 0.7, false),
    row("every head", "all", null, 0.2, false),
    row("heads of L0", "layer", 0, 0.8),
    row("heads of L1", "layer", 1, 0.6),
    row("all but heads of the last layer", "kept", 1, 0.55),
  ],
  forward: {
    ...{ replacement: "position", images: 40, calibration: 30 },
    whole: { accuracy: share(0.9), worst: null },
    rows: [
      {
        ...{ name: HOSTILE, heads: ["L0.H0"], accuracy: share(0.4), worst: null },
        ...{ direct: { accuracy: share(0.6), worst: null }, random: band(0.5), randomWorst: null },
      },
    ],
  },
};

export const named = (name: string, value: number) => ({ name, ...share(value) });
export const robust = (average: number, worst: number, group = HOSTILE) => ({
  average: share(average),
  worst: named(group, worst),
});
export const halves = (average: number, worst: number, group = HOSTILE) => ({
  ...{ validation: robust(average, worst, group), test: robust(average, worst, group) },
});
export const cue: DebiasPicture = {
  ...{ model: HOSTILE, cue: HOSTILE, mode: "mean", images: { validation: 20, test: 30 }, notice: HOSTILE },
  before: { test: robust(0.8, 0.3) },
  gap: { heads: [0.04, -0.01], mlps: -0.02, whole: 0.01 },
  headNames: ["L0.H0", "L0.H1"],
  selections: [
    {
      ...{ selection: "selectivity", chosen: ["L0.H0"], steps: [halves(0.9, 0.7), halves(0.6, 0.2)] },
      outcome: halves(0.9, 0.7),
      controls: [{ from: "same layers", average: band(0.7), worst: band(0.4) }],
    },
  ],
  used: 0,
  groups: [
    { name: HOSTILE, before: named("a", 0.3), after: named("a", 0.9), random: band(0.4) },
    { name: "b", before: named("b", 0.8), after: named("b", 0.7), random: null },
  ],
  randomSteps: [{ average: band(0.7), worst: band(0.3) }, null],
  forward: ablation.forward ? [{ ...ablation.forward, rows: [] }] : [],
};
