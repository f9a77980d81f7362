import type { ForwardStudy } from "../../results/accuracy.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headOf, type ReadComponents } from "../../results/shapes.ts";
import type { AblationRow, ZeroShotResult } from "../../results/zero-shot.ts";

export const share = (value: number) => ({
  share: value,
  low: Math.max(0, value - 0.1),
  high: Math.min(1, value + 0.1),
  n: 50,
});
export const named = (name: string, value: number) => ({ name, ...share(value) });
export const band = (mean: number) => ({
  ...{ draws: 20, exhaustive: false, mean, low: mean - 0.1, high: mean + 0.1 },
  ...{ least: mean - 0.2, most: mean + 0.2, atMost: 0.15, atLeast: 0.85 },
});
export const HOSTILE = '<script>alert("x")</script>\u202e & é';

/** A set of one head, or of nothing but an MLP. */
export const components = (set: string, isMlp = false): ReadComponents => ({
  set,
  heads: isMlp ? [] : [{ ...headOf(0, 0), weight: 1 }],
  mlps: isMlp ? [{ component: "L0.MLP", weight: 1 }] : [],
});

export const row = (
  set: string,
  kind: AblationRow["kind"],
  at: number | null,
  value: number,
  random = true,
): AblationRow => ({
  ...{ kind, at, components: components(set, set === "every MLP"), accuracy: share(value), worst: null },
  random: random ? band(value + 0.05) : null,
});

/** Accuracy of all images, and no more. */
export const whole = (value: number, worst: ReturnType<typeof named> | null = null) => ({
  ...{ all: share(value), classes: [], groups: [], worst },
});

export const forward: ForwardStudy = {
  ...{ replacement: "position", images: 40, calibration: 30 },
  whole: { accuracy: share(0.9), worst: null },
  rows: [
    {
      ...{ components: components(HOSTILE), accuracy: share(0.4), worst: null },
      ...{ direct: { accuracy: share(0.6), worst: null }, random: band(0.5), randomWorst: null },
    },
  ],
};

export const ablation: ZeroShotResult = {
  origin: sampleOrigin({ model: { name: HOSTILE, notice: HOSTILE }, index: {} }),
  ...{ factor: "label", images: 50, leftOut: 0, classes: 4, chance: 0.25, replacement: "mean" },
  whole: whole(0.9),
  rows: [
    row(HOSTILE, "set", null, 0.5),
    row("every MLP", "all", null, 0.7, false),
    row("every head", "all", null, 0.2, false),
    row("heads of L0", "layer", 0, 0.8),
    row("heads of L1", "layer", 1, 0.6),
    row("all but heads of the last layer", "kept", 1, 0.55),
  ],
  forward,
};
