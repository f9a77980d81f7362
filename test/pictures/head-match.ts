import { input, names } from "../../src/views/compare/compare.fixture.ts";
import { headMatchHtml } from "../../src/views/compare/page.ts";
import { headMatchSvg } from "../../src/views/compare/svg.ts";
import { headMatchText } from "../../src/views/compare/terminal.ts";
import type { HeadMatchInput } from "../../src/views/compare/words.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { gradient } from "./gradient.ts";
import type { Gallery } from "./picture.ts";

const [red, green, blue] = [gradient([230, 60, 40]), gradient([60, 200, 90]), gradient([50, 90, 230])];

/** Four heads beside six; no two pairs alike, so that rows and columns cannot change places unseen. */
const few: HeadMatchInput = {
  ...input(2, 3),
  a: "small",
  similarity: [
    [0.12, 0.81, 0.3, 0.02, 0.004, 0.05],
    [0.64, 0.22, 0.009, 0.1, 0.2, 0.07],
    [0.03, 0.06, 0.41, 0.18, 0.01, 0.33],
    [0.008, 0.015, 0.27, 0.14, 0.96, 0.5],
  ],
  mutual: [
    { a: 3, b: 4 },
    { a: 0, b: 1 },
    { a: 1, b: 0 },
    { a: 2, b: 2 },
  ],
  pairs: [
    {
      ...{ a: "L1.H1", b: "L2.H0", similarity: 0.96, low: 0.93, high: 0.98, chance: 0.002 },
      factors: [
        { name: "background", a: 0.71, b: 0.42 },
        { name: "size", a: 0.2, b: 0.11 },
        { name: "count", a: 0.05, b: 0.03 },
      ],
      axis: { share: 0.9, correlation: 0.93, least: [red, null], most: [blue, green] },
    },
    {
      ...{ a: "L0.H0", b: "L0.H1", similarity: 0.81, low: 0.7, high: 0.88, chance: 0.002 },
      factors: [],
      axis: { share: 0.4, correlation: -0.51, least: [], most: [] },
    },
  ],
};

/** Two heads beside many; similarities that run over the whole scale. */
function wide(headsB: number): HeadMatchInput {
  const [a, b] = [names(2, 1), names(headsB / 2, 2)];
  return {
    ...few,
    ...{ headsA: a, headsB: b, pairs: [] },
    similarity: a.map((_, i) => b.map((_, j) => ((i * 31 + j * 7) % 101) / 100)),
    mutual: [
      { a: 0, b: 3 },
      { a: 1, b: headsB - 1 },
    ],
  };
}
const large = names(13, 2);
const over: HeadMatchInput = {
  ...wide(160),
  headsA: large,
  similarity: large.map((_, i) =>
    names(80, 2).map((_, j) => (i === 25 && j > 80 ? 0.9 : j < 3 ? 0.4 : 0.004)),
  ),
};
const HOSTILE = `</text><script>alert("1")</script>\u202e${"x".repeat(500)}`;

export const headMatch: Gallery = {
  title: "Heads of two models",
  pictures: [
    {
      name: "head-match/few.svg",
      shows:
        "four heads by six, four frames, two pairs: one with pictures (one gone), one that nothing explains",
      draw: () => headMatchSvg(few),
    },
    {
      name: "head-match/few.png",
      shows: "the same as pixels",
      draw: () => svgToPng(headMatchSvg(few), { width: 480 }),
    },
    ...(
      [
        [50, "cells without numbers, each column named"],
        [70, "small cells, rows named and layers above"],
        [104, "smaller cells, layers named alone"],
        [180, "cells too small for a frame: rings"],
      ] as const
    ).map(([heads, what]) => ({
      name: `head-match/by-${heads}.svg` as const,
      shows: `two heads by ${heads}: ${what}; pairs are not listed`,
      draw: () => headMatchSvg(wide(heads)),
    })),
    {
      name: "head-match/thousands.svg",
      shows: "4,160 cells drawn by colour: the first columns and half of the top row stand out",
      draw: () => headMatchSvg(over),
    },
    {
      name: "head-match/none.svg",
      shows: "no pair above chance: pale cells, no frames, and a sentence that says so",
      draw: () =>
        headMatchSvg({
          ...few,
          similarity: few.similarity.map((row) => row.map(() => 0.01)),
          mutual: [],
          pairs: [],
        }),
    },
    {
      name: "head-match/hostile.svg",
      shows: "models and a factor that are named with markup: cut, and shown as text; a notice on top",
      draw: () =>
        headMatchSvg({
          ...few,
          ...{ a: HOSTILE, b: HOSTILE, notice: HOSTILE },
          pairs: [{ ...few.pairs[0], factors: [{ name: HOSTILE.slice(0, 60), a: 0.5, b: 0.1 }] }],
        }),
    },
    {
      name: "head-match/page.html",
      shows: "the picture, its pairs, and the best match of every head of both models",
      draw: () => headMatchHtml({ ...few, notice: "an approximation" }),
    },
    {
      name: "head-match/terminal-80.txt",
      shows: "the pairs with their intervals and what both respond to",
      draw: () => headMatchText({ ...few, notice: "an approximation" }, { columns: 80 }),
    },
    {
      name: "head-match/terminal-50.txt",
      shows: "the same on a narrow terminal",
      draw: () => headMatchText(few, { columns: 50 }),
    },
    {
      name: "head-match/terminal-none.txt",
      shows: "no pair above chance",
      draw: () => headMatchText({ ...few, mutual: [], pairs: [] }, { columns: 80 }),
    },
  ],
};
