import { describe, expect, it } from "vitest";
import { debiasHtml, debiasSvg } from "../debias/svg.ts";
import { debiasText } from "../debias/terminal.ts";
import { type DebiasPicture, debiasHeadline } from "../debias/words.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { type AblationPicture, ablationPageHtml, ablationSvg } from "./svg.ts";
import { ablationText } from "./terminal.ts";

const share = (value: number) => ({
  share: value,
  low: Math.max(0, value - 0.1),
  high: Math.min(1, value + 0.1),
  n: 50,
});
const band = (mean: number) => ({
  ...{ draws: 20, exhaustive: false, mean, low: mean - 0.1, high: mean + 0.1 },
  ...{ least: mean - 0.2, most: mean + 0.2, atMost: 0.15, atLeast: 0.85 },
});
const HOSTILE = '<script>alert("x")</script>\u202e & é';
const row = (name: string, kind: string, at: number | null, value: number, random = true) => ({
  ...{ name, kind, at, heads: ["L0.H0"], mlps: 0, accuracy: share(value), worst: null },
  random: random ? band(value + 0.05) : null,
});

const ablation: AblationPicture = {
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

const named = (name: string, value: number) => ({ name, ...share(value) });
const robust = (average: number, worst: number) => ({
  average: share(average),
  worst: named(HOSTILE, worst),
});
const halves = (average: number, worst: number) => ({
  ...{ validation: robust(average, worst), test: robust(average, worst) },
});
const cue: DebiasPicture = {
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

describe("pictures of ablation", () => {
  it.each([
    ["accuracies as SVG", () => ablationSvg(ablation)],
    ["accuracies as a page", () => ablationPageHtml(ablation).replace("<!doctype html>", "")],
    ["a removed cue as SVG", () => debiasSvg(cue)],
    ["a removed cue as a page", () => debiasHtml(cue).replace("<!doctype html>", "")],
  ])("%s are well formed, inert whatever names hold, and finite", (_, draw) => {
    const markup = draw();
    expectBalanced(markup);
    expect(markup).not.toMatch(/<script|\u202e|NaN|Infinity|undefined/);
    expect(markup).not.toMatch(/<link|@import|url\(|(?:src|href)="(?!data:)/);
  });

  it("say in a sentence what came of it, also where nothing helps", () => {
    expect(debiasHeadline(cue)).toBe(
      "With the direct effect of L0.H0 replaced by its mean, worst-group accuracy goes from 30.0 % to 70.0 % and average accuracy from 80.0 % to 90.0 %.",
    );
    const [selection] = cue.selections;
    expect(debiasHeadline({ ...cue, selections: [{ ...selection, chosen: [] }] })).toContain(
      "none were ablated",
    );
  });

  it("hold with nothing but one row, and with many heads", () => {
    const bare: AblationPicture = { ...ablation, rows: [ablation.rows[0]], forward: null };
    expectBalanced(ablationSvg(bare));
    expect(ablationText(bare, { columns: 40 })).toContain("50.0 [40.0, 60.0]");
    const heads = Array.from({ length: 384 }, (_, i) => i / 384);
    const many = {
      ...cue,
      gap: { ...cue.gap, heads },
      headNames: heads.map((_, i) => `L${i >> 4}.H${i & 15}`),
    };
    const svg = debiasSvg(many);
    expectBalanced(svg);
    expect(svg).toContain("40 largest of 384 heads");
    expect(svg).not.toContain("NaN");
  });

  it("print the same numbers for a terminal, on lines that hold no commands", () => {
    const text = `${ablationText(ablation, { columns: 80 })}\n${debiasText(cue, { columns: 80 })}`;
    expect(text).toContain("3 of 20");
    expect(text).toContain("17 of 20");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });
});
