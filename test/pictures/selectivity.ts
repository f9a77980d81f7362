import { svgToPng } from "../../src/views/kit/png.ts";
import { selectivityMatrixHtml } from "../../src/views/selectivity/page.ts";
import { head, hostile, nothing, sample, small } from "../../src/views/selectivity/selectivity.fixture.ts";
import { selectivityMatrixSvg } from "../../src/views/selectivity/svg.ts";
import { selectivityMatrixText } from "../../src/views/selectivity/terminal.ts";
import type { Gallery } from "./picture.ts";

const components = small.components.map((component) => ({ ...component, significant: [true, false] }));
/** Nothing is above chance for the second factor. */
const unfollowed = { ...small, components };
const chance = { ...small, components: components.map(({ name }) => head(name, [0.2, 0.1], [false, false])) };

export const selectivity: Gallery = {
  title: "Selectivity",
  pictures: [
    {
      name: "selectivity/few.svg",
      shows:
        "four heads and two factors; frames round L0.H1 (colour) and L1.H0 (size), a dot for L0.H0 and size",
      draw: () => selectivityMatrixSvg(small),
    },
    {
      name: "selectivity/few.png",
      shows: "the same as pixels",
      draw: () => svgToPng(selectivityMatrixSvg(small), { width: 420 }),
    },
    {
      name: "selectivity/sixteen.svg",
      shows: "sixteen heads and nine factors, a number in every cell above chance",
      draw: () => selectivityMatrixSvg(sample({ layers: 4, heads: 4, factors: 9 })),
    },
    {
      name: "selectivity/slanted.svg",
      shows: "144 heads in panels side by side, small cells under slanted names, numbers in them",
      draw: () => selectivityMatrixSvg(sample({ layers: 12, heads: 12, factors: 2 })),
    },
    {
      name: "selectivity/many.svg",
      shows: "two layers of 60 heads: low cells without numbers, and no word about numbers",
      draw: () => selectivityMatrixSvg(sample({ layers: 2, heads: 60, factors: 2 })),
    },
    {
      name: "selectivity/unfollowed.svg",
      shows: "a factor that no head follows: no frame, and the list says none above chance",
      draw: () => selectivityMatrixSvg(unfollowed),
    },
    {
      name: "selectivity/chance.svg",
      shows: "no cell above chance: pale cells with dots, no frame but the legend's",
      draw: () => selectivityMatrixSvg(chance),
    },
    {
      name: "selectivity/hostile.svg",
      shows:
        "names that are markup, control characters and 5,000 letters: cut, and shown as text; a notice on top",
      draw: () => selectivityMatrixSvg(hostile),
    },
    ...nothing.map(([words, input]) => ({
      name: `selectivity/${words.replace(" ", "-")}.svg` as const,
      shows: `nothing to show: it says ${words}`,
      draw: () => selectivityMatrixSvg(input),
    })),
    {
      name: "selectivity/page.html",
      shows: "the picture with its numbers in tables",
      draw: () => selectivityMatrixHtml({ ...small, notice: "an approximation" }),
    },
    {
      name: "selectivity/terminal-80.txt",
      shows: "each factor's strongest heads with bars",
      draw: () => selectivityMatrixText({ ...small, notice: "an approximation" }, { columns: 80 }),
    },
    {
      name: "selectivity/terminal-36.txt",
      shows: "the same on a narrow terminal, with a factor that no head follows",
      draw: () => selectivityMatrixText(unfollowed, { columns: 36 }),
    },
    {
      name: "selectivity/terminal-hostile.txt",
      shows: "hostile names on a terminal: one line each, no control characters",
      draw: () => selectivityMatrixText(hostile, { columns: 80 }),
    },
  ],
};
