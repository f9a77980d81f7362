import { svgDocument } from "../../src/views/kit/svg.ts";
import { curveKey, spanCurve } from "../../src/views/textspan/curve.ts";
import { textspanHtml } from "../../src/views/textspan/page.ts";
import { textspanSvg } from "../../src/views/textspan/svg.ts";
import { textspanTerminal } from "../../src/views/textspan/terminal.ts";
import { described, hostile, resultOf, sample, telling } from "../../src/views/textspan/textspan.fixture.ts";
import type { Gallery } from "./picture.ts";

const alone = resultOf([telling]);
const several = resultOf([telling, described("L3.H0", 12), described("L3.H1", 0)], true, {
  notice: "a small model",
});
const unsampled = sample(1, 5, false);

export const textspan: Gallery = {
  title: "TEXTSPAN",
  pictures: [
    {
      name: "textspan/one-head.svg",
      shows: "one head with the whole width; its second bar is the longest, two kept shares are pale",
      draw: () => textspanSvg(alone),
    },
    {
      name: "textspan/three-heads.svg",
      shows: "two heads beside each other, one with more texts than fit, and one in which nothing varies",
      draw: () => textspanSvg(several),
    },
    {
      name: "textspan/more-texts.svg",
      shows: "one head of 25 texts, of which 24 are shown and one more is said to be left out",
      draw: () => textspanSvg(sample(1, 25)),
    },
    {
      name: "textspan/many-heads.svg",
      shows: "66 heads, of which 64 are drawn and two more are said to be left out",
      draw: () => textspanSvg(sample(66, 1)),
    },
    {
      name: "textspan/no-resamples.svg",
      shows: "nothing drawn anew: no column for what is kept, no range",
      draw: () => textspanSvg(unsampled),
    },
    { name: "textspan/no-heads.svg", shows: "nothing to show", draw: () => textspanSvg(sample(0)) },
    {
      name: "textspan/hostile.svg",
      shows: "names and texts that are markup, control characters and 5,000 letters: cut, and shown as text",
      draw: () => textspanSvg(hostile),
    },
    {
      name: "textspan/curve.svg",
      shows: "what texts explain together: the line between the random band below and the dashes above",
      draw: () => svgDocument(spanCurve(telling, 560, 260), "curve"),
    },
    {
      name: "textspan/curve-of-one.svg",
      shows: "the curve of a single text, from zero to it",
      draw: () => svgDocument(spanCurve(described("L0.H0", 1), 190, 150), "curve"),
    },
    { name: "textspan/key.svg", shows: "what the lines mean", draw: () => svgDocument(curveKey(), "key") },
    {
      name: "textspan/page.html",
      shows: "the picture with every text in tables",
      draw: () => textspanHtml(several),
    },
    {
      name: "textspan/terminal-80.txt",
      shows: "five texts of each of several heads",
      draw: () => textspanTerminal(several, { columns: 80 }),
    },
    {
      name: "textspan/terminal-50.txt",
      shows: "one head with all of its texts on a narrow terminal",
      draw: () => textspanTerminal(resultOf([described("L3.H0", 7)]), { columns: 50 }),
    },
    {
      name: "textspan/terminal-no-resamples.txt",
      shows: "without resamples, nothing is said of what is kept",
      draw: () => textspanTerminal(unsampled, { columns: 80 }),
    },
  ],
};
