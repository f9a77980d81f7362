import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { selectivityHtml } from "../../src/views/selectivity/page.ts";
import {
  hostile,
  nothing,
  sample,
  signed,
  small,
  withSignificant,
} from "../../src/views/selectivity/selectivity.fixture.ts";
import { selectivitySvg } from "../../src/views/selectivity/svg.ts";
import { selectivityTerminal } from "../../src/views/selectivity/terminal.ts";
import type { Gallery } from "./picture.ts";

/** Nothing is above chance for the second factor. */
const unfollowed = withSignificant(small, [true, false]);
const chance = withSignificant(small, [false, false]);
const approximate = { ...small, origin: sampleOrigin({ model: { notice: "an approximation" }, index: {} }) };

export const selectivity: Gallery = {
  title: "Selectivity",
  pictures: [
    {
      name: "selectivity/few.svg",
      shows:
        "four heads and two factors; frames round L0.H1 (colour) and L1.H0 (size), a dot for L0.H0 and size",
      draw: () => selectivitySvg(small),
    },
    {
      name: "selectivity/away.svg",
      shows: "the same; L0.H1 knows its colours and writes away from their texts: hatched, −62",
      draw: () => selectivitySvg(signed),
    },
    {
      name: "selectivity/few.png",
      shows: "the same as pixels",
      draw: () => svgToPng(selectivitySvg(small), { width: 420 }),
    },
    {
      name: "selectivity/sixteen.svg",
      shows: "sixteen heads and nine factors, a number in every cell above chance",
      draw: () => selectivitySvg(sample({ layers: 4, heads: 4, factors: 9 })),
    },
    {
      name: "selectivity/slanted.svg",
      shows: "144 heads in panels side by side, small cells under slanted names, numbers in them",
      draw: () => selectivitySvg(sample({ layers: 12, heads: 12, factors: 2 })),
    },
    {
      name: "selectivity/many.svg",
      shows: "two layers of 60 heads: low cells without numbers, and no word about numbers",
      draw: () => selectivitySvg(sample({ layers: 2, heads: 60, factors: 2 })),
    },
    {
      name: "selectivity/unfollowed.svg",
      shows: "a factor that no head follows: no frame, and the list says none above chance",
      draw: () => selectivitySvg(unfollowed),
    },
    {
      name: "selectivity/chance.svg",
      shows: "no cell above chance: pale cells with dots, no frame but the legend's",
      draw: () => selectivitySvg(chance),
    },
    {
      name: "selectivity/hostile.svg",
      shows:
        "names that are markup, control characters and 5,000 letters: cut, and shown as text; a notice on top",
      draw: () => selectivitySvg(hostile),
    },
    ...nothing.map(([words, input]) => ({
      name: `selectivity/${words.replaceAll(" ", "-")}.svg` as const,
      shows: `nothing to show: it says ${words}`,
      draw: () => selectivitySvg(input),
    })),
    {
      name: "selectivity/page.html",
      shows: "the picture with its numbers in tables",
      draw: () => selectivityHtml(approximate),
    },
    {
      name: "selectivity/terminal-80.txt",
      shows: "each factor's strongest heads with bars",
      draw: () => selectivityTerminal(approximate, { columns: 80 }),
    },
    {
      name: "selectivity/terminal-36.txt",
      shows: "the same on a narrow terminal, with a factor that no head follows",
      draw: () => selectivityTerminal(unfollowed, { columns: 36 }),
    },
    {
      name: "selectivity/terminal-hostile.txt",
      shows: "hostile names on a terminal: one line each, no control characters",
      draw: () => selectivityTerminal(hostile, { columns: 80 }),
    },
  ],
};
