import type { CompareResult } from "../../src/results/compare.ts";
import { headOf } from "../../src/results/shapes.ts";
import { image, matched, side } from "../../src/views/compare/compare.fixture.ts";
import { compareHtml } from "../../src/views/compare/page.ts";
import { compareSvg } from "../../src/views/compare/svg.ts";
import { compareTerminal } from "../../src/views/compare/terminal.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { gradient } from "./gradient.ts";
import type { Gallery } from "./picture.ts";

const pictures = {
  pictureOf: new Map([
    ["red", gradient([230, 60, 40])],
    ["green", gradient([60, 200, 90])],
    ["blue", gradient([50, 90, 230])],
  ]),
};
const draw = (result: CompareResult) => compareSvg(result, pictures);

/** Four heads beside six; no two pairs alike, so that rows and columns cannot change places unseen. */
const few: CompareResult = {
  ...matched(side("small", 2, 2), side("large", 3, 2), [
    [0.12, 0.81, 0.3, 0.02, 0.004, 0.05],
    [0.64, 0.22, 0.009, 0.1, 0.2, 0.07],
    [0.03, 0.06, 0.41, 0.18, 0.01, 0.33],
    [0.008, 0.015, 0.27, 0.14, 0.96, 0.5],
  ]),
  pairs: [
    {
      ...{ a: headOf(1, 1), b: headOf(2, 0), similarity: 0.96, low: 0.93, high: 0.98 },
      ...{ chance: 0.002, highestByChance: 0.01 },
      factors: [
        { name: "background", a: 0.71, b: 0.42 },
        { name: "size", a: 0.2, b: 0.11 },
        { name: "count", a: 0.05, b: 0.03 },
      ],
      axis: {
        ...{ share: 0.9, correlation: 0.93 },
        least: ["red", "gone"].map(image),
        most: ["blue", "green"].map(image),
      },
    },
    {
      ...{ a: headOf(0, 0), b: headOf(0, 1), similarity: 0.81, low: 0.7, high: 0.88 },
      ...{ chance: 0.002, highestByChance: 0.01, factors: [] },
      axis: { share: 0.4, correlation: -0.51, least: [], most: [] },
    },
  ],
};
const approximate = { ...few, a: side("small", 2, 2, "an approximation") };
const none = matched(
  few.a,
  few.b,
  few.similarity.map((row) => row.map(() => 0.01)),
);

/** Heads beside many, of which two pairs are marked; pairs are counted and not listed. */
const wide = (a: CompareResult["a"], layersB: number, ckaOf: (i: number, j: number) => number) => {
  const b = side("large", layersB, 2);
  const marked = (head: number, match: number) => {
    const [own, other] = [a.components.heads[head], b.components.heads[match]];
    const [left, right] = [headOf(own.layer, own.head), headOf(other.layer, other.head)];
    return { a: left, b: right, similarity: 0.9, mutual: true };
  };
  const similarity = a.components.heads.map((_, i) => b.components.heads.map((__, j) => ckaOf(i, j)));
  const bestOfA = [marked(0, 3), marked(1, 2 * layersB - 1)];
  return { ...matched(a, b, similarity), bestOfA, mutual: 2 };
};
const onScale = (layersB: number) =>
  wide(side("small", 2, 1), layersB, (i, j) => ((i * 31 + j * 7) % 101) / 100);
const over = wide(side("small", 13, 2), 80, (i, j) => (i === 25 && j > 80 ? 0.9 : j < 3 ? 0.4 : 0.004));
const HOSTILE = `</text><script>alert("1")</script>\u202e${"x".repeat(500)}`;

export const headMatch: Gallery = {
  title: "Heads of two models",
  pictures: [
    {
      name: "head-match/few.svg",
      shows:
        "four heads by six, four frames, two pairs: one with pictures (one gone), one that nothing explains",
      draw: () => draw(few),
    },
    {
      name: "head-match/few.png",
      shows: "the same as pixels",
      draw: () => svgToPng(draw(few), { width: 480 }),
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
      draw: () => draw(onScale(heads / 2)),
    })),
    {
      name: "head-match/thousands.svg",
      shows: "4,160 cells drawn by colour: the first columns and half of the top row stand out",
      draw: () => draw(over),
    },
    {
      name: "head-match/none.svg",
      shows: "no pair above chance: pale cells, no frames, and a sentence that says so",
      draw: () => draw(none),
    },
    {
      name: "head-match/hostile.svg",
      shows: "models and a factor that are named with markup: cut, and shown as text; a notice on top",
      draw: () =>
        draw({
          ...few,
          ...{ a: side(HOSTILE, 2, 2, HOSTILE), b: side(HOSTILE, 3, 2) },
          pairs: [{ ...few.pairs[0], factors: [{ name: HOSTILE.slice(0, 60), a: 0.5, b: 0.1 }] }],
        }),
    },
    {
      name: "head-match/page.html",
      shows: "the picture, its pairs, and the best match of every head of both models",
      draw: () => compareHtml(approximate, pictures),
    },
    {
      name: "head-match/terminal-80.txt",
      shows: "the pairs with their intervals and what both respond to",
      draw: () => compareTerminal(approximate, { columns: 80 }),
    },
    {
      name: "head-match/terminal-50.txt",
      shows: "the same on a narrow terminal",
      draw: () => compareTerminal(few, { columns: 50 }),
    },
    {
      name: "head-match/terminal-none.txt",
      shows: "no pair above chance",
      draw: () => compareTerminal(none, { columns: 80 }),
    },
  ],
};
