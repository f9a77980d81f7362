import type { DebiasResult } from "../../src/results/debias.ts";
import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { headOf } from "../../src/results/shapes.ts";
import { band, components, named, share } from "../../src/views/ablation/ablation.fixture.ts";
import { baseline, gapOf, halves, cue as hostile, selection } from "../../src/views/debias/debias.fixture.ts";
import { debiasHtml } from "../../src/views/debias/page.ts";
import { debiasSvg } from "../../src/views/debias/svg.ts";
import { debiasTerminal } from "../../src/views/debias/terminal.ts";
import type { Gallery } from "./picture.ts";

const half = (average: number, worst: number) => halves(average, worst, "bird on water");

/** Four heads, of which L1.H0 carries the cue; without it the worst group gains more than without random heads. */
const better: DebiasResult = {
  origin: sampleOrigin({ model: {}, index: {} }),
  ...{ cue: "background", factor: "label", replacement: "mean" },
  images: { validation: 200, test: 300, leftOut: 0 },
  before: half(0.8, 0.3),
  gap: gapOf([0.004, -0.011, 0.042, 0], -0.02, 0.015),
  selections: [
    selection("selectivity", [headOf(1, 0)], [half(0.88, 0.7), half(0.6, 0.2)], half(0.88, 0.7), [
      { from: "same layers", average: band(0.7), worst: { ...band(0.4), exhaustive: true, draws: 3 } },
      { from: "all layers", average: band(0.75), worst: { ...band(0.25), atLeast: 0 } },
    ]),
    selection(
      "greedy",
      [headOf(1, 0), headOf(0, 0)],
      [half(0.86, 0.5), half(0.9, 0.75), half(0.5, 0.4)],
      half(0.9, 0.75),
    ),
  ],
  used: 0,
  baselines: [
    baseline("text projection", 0.86, 0.68, 0.02),
    baseline("mean difference", 0.8, 0.4, 0.08),
    baseline("LEACE", 0.89, 0.74, -0.01),
    baseline("linear probe", 0.95, 0.9, -0.07),
  ],
  groups: [
    { name: "fish on water", before: named("", 0.9), after: named("", 0.85), random: band(0.8) },
    { name: "bird on water", before: named("", 0.3), after: named("", 0.7), random: band(0.35) },
    { name: "bird on land", before: named("", 0.8), after: named("", 0.82), random: null },
  ],
  randomSteps: [{ average: band(0.7), worst: band(0.25) }, { average: band(0.6), worst: band(0.2) }, null],
  forward: [
    {
      ...{ replacement: "position", images: 40, calibration: 30 },
      whole: { accuracy: share(0.8), worst: named("bird on water", 0.3) },
      rows: [
        {
          ...{ components: components("L1.H0"), accuracy: share(0.85), worst: named("bird on water", 0.65) },
          direct: { accuracy: share(0.87), worst: named("bird on land", 0.6) },
          ...{ random: band(0.7), randomWorst: { ...band(0.3), exhaustive: true, atLeast: 0.1 } },
        },
      ],
    },
    {
      ...{ replacement: "nothing", images: 40, calibration: 0 },
      whole: { accuracy: share(0.8), worst: null },
      rows: [
        {
          ...{ components: components("L1.H0"), accuracy: share(0.4), worst: null },
          ...{ direct: { accuracy: share(0.87), worst: null }, random: null, randomWorst: null },
        },
      ],
    },
  ],
  exported: [],
};
const [first] = better.selections;
const helpless: DebiasResult = {
  ...better,
  origin: sampleOrigin({ model: { notice: "an approximation" }, index: {} }),
  selections: [{ ...first, chosen: [], outcome: half(0.8, 0.3), controls: [] }],
  baselines: [],
  groups: better.groups.map((group) => ({ ...group, after: group.before, random: null })),
  randomSteps: [],
  forward: [],
};
/** Named heads that do worse than random ones, set to zero. */
const worse: DebiasResult = {
  ...better,
  replacement: "zero",
  selections: [
    selection("given", [headOf(0, 0), headOf(0, 1)], [half(0.7, 0.25), half(0.6, 0.1)], half(0.6, 0.1), [
      { from: "same layers", average: band(0.75), worst: { ...band(0.3), atLeast: 0.95 } },
    ]),
  ],
  groups: Array.from({ length: 10 }, (_, i) => ({
    name: `group ${i}`,
    before: named("", 0.8 - i / 20),
    after: named("", 0.5 - i / 20),
    random: band(0.7),
  })),
  forward: [],
};
const values = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 1 : -1) * i * 0.001);
const many: DebiasResult = {
  ...helpless,
  gap: gapOf(values, better.gap.mlps, better.gap.whole, 10),
  selections: [{ ...first, chosen: [headOf(5, 9), headOf(5, 8)] }],
};

export const debias: Gallery = {
  title: "A cue removed",
  pictures: [
    {
      name: "debias/better.svg",
      shows:
        "the worst group gains beyond random heads, and less than by LEACE and a probe; L1.H0's bar is dark and above zero, L0.H1's below",
      draw: () => debiasSvg(better),
    },
    {
      name: "debias/worse.svg",
      shows: "two heads that were named, set to zero: less accurate than without random ones",
      draw: () => debiasSvg(worse),
    },
    {
      name: "debias/helpless.svg",
      shows: "no heads help: none ablated, no random heads, before and after alike",
      draw: () => debiasSvg(helpless),
    },
    {
      name: "debias/many-heads.svg",
      shows: "the 40 largest bars of 60, those of L5.H9 and L5.H8 dark, the whole and the MLPs at the right",
      draw: () => debiasSvg(many),
    },
    {
      name: "debias/hostile.svg",
      shows: "names that are markup and turn the direction of text: shown as text",
      draw: () => debiasSvg(hostile),
    },
    {
      name: "debias/page.html",
      shows: "the picture, and its numbers in tables, two of full-forward ablation among them",
      draw: () => debiasHtml(better),
    },
    {
      name: "debias/terminal-80.txt",
      shows: "what was removed, by which heads, and what came of each group",
      draw: () => debiasTerminal(better, { columns: 80 }),
    },
    {
      name: "debias/terminal-50.txt",
      shows: "ten groups of which eight are listed, on a narrow terminal",
      draw: () => debiasTerminal(worse, { columns: 50 }),
    },
    {
      name: "debias/terminal-helpless.txt",
      shows: "no heads help",
      draw: () => debiasTerminal(helpless, { columns: 80 }),
    },
  ],
};
