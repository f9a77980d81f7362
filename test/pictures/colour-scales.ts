import {
  apart,
  colourBar,
  shareBar,
  shareColour,
  shareInk,
  signedScale,
  swatch,
} from "../../src/views/kit/colour.ts";
import { at, stack, svgDocument, textLine } from "../../src/views/kit/svg.ts";
import type { Gallery } from "./picture.ts";

const WIDTH = 480;

/** A row of squares, each with its number in the ink that goes with its colour. */
function swatches(cells: readonly { words: string; fill: string; ink: string }[]) {
  const side = WIDTH / cells.length;
  const body = cells.map(
    ({ words, fill, ink }, i) =>
      `<rect x="${i * side}" width="${side}" height="28" fill="${fill}"/>` +
      textLine((i + 0.5) * side, 18, words, { size: 10, anchor: "middle", fill: ink }),
  );
  return { width: WIDTH, height: 28, body: body.join("") };
}

const steps = (from: number, to: number, count: number) =>
  Array.from({ length: count + 1 }, (_, i) => (from * (count - i) + to * i) / count);

export const colourScales: Gallery = {
  title: "the colour scales",
  pictures: [
    {
      name: "colour-scales/signed.svg",
      shows:
        "Blue for −, near white for 0, red for +, with numbers that read on each; −1.5 and +1.5 have the end's colour. Below, bars: plain, clipped, with other ends, of a scale of nothing.",
      draw: () => {
        const scale = signedScale(1);
        const cells = [-1.5, ...steps(-1, 1, 8), 1.5].map((value) => ({
          words: `${value}`,
          fill: scale.colour(value),
          ink: scale.ink(value),
        }));
        const bars = stack(WIDTH, [
          [0, swatches(cells)],
          [20, colourBar(scale)],
          [20, colourBar(signedScale(0.0312), { clipped: true })],
          [20, colourBar(signedScale(0.0312), { width: WIDTH, ends: ["the other texts", "this text"] })],
          [20, colourBar(signedScale(0), { width: 200 })],
        ]);
        return svgDocument(bars, "the signed scale");
      },
    },
    {
      name: "colour-scales/share.svg",
      shows:
        "Pale yellow for 0 to dark blue for 1, with numbers that read on each; what lies beyond has the end's colour.",
      draw: () => {
        const cells = [-0.2, ...steps(0, 1, 10), 1.2].map((share) => ({
          words: `${share}`,
          fill: shareColour(share),
          ink: shareInk(share),
        }));
        const bars = stack(WIDTH, [
          [0, swatches(cells)],
          [20, shareBar(WIDTH)],
          [20, shareBar(280, "linear CKA", ["0", "0.5", "1"])],
        ]);
        return svgDocument(bars, "the scale of shares");
      },
    },
    {
      name: "colour-scales/narrow.svg",
      shows:
        "A bar of 200 pixels: what its ends mean stands in two lines, so that neither lies on the other.",
      draw: () => svgDocument(colourBar(signedScale(0.0312), { width: 200, clipped: true }), "a narrow bar"),
    },
    {
      name: "colour-scales/apart.svg",
      shows:
        "Twenty things, no two drawn alike: five colours, then the same with rising lines, falling ones and both; beside each its line, none like another.",
      draw: () => {
        const rows = Array.from({ length: 20 }, (_, i) => {
          const { colour, dash } = apart(i);
          const line = `<path d="M60 8h80" stroke="${colour}" stroke-width="2"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`;
          return { width: 160, height: 16, body: textLine(0, 12, `${i + 1}`) + at(30, 2, swatch(i)) + line };
        });
        return svgDocument(
          stack(
            160,
            rows.map((row) => [4, row] as const),
          ),
          "what tells things apart",
        );
      },
    },
  ],
};
