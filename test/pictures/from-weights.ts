import { hostile, resultOf, sample, written } from "../../src/views/from-weights/from-weights.fixture.ts";
import { fromWeightsHtml } from "../../src/views/from-weights/page.ts";
import { fromWeightsSvg } from "../../src/views/from-weights/svg.ts";
import { fromWeightsTerminal } from "../../src/views/from-weights/terminal.ts";
import type { Gallery } from "./picture.ts";

const byVariance = resultOf([written("L1.H0", 4, true), written("L3.H1", 2, true)], {
  images: 2000,
  notice: "a small model",
});

export const fromWeights: Gallery = {
  title: "Heads from weights",
  pictures: [
    {
      name: "from-weights/one-head.svg",
      shows:
        "one head with all six directions: below each its other end, the third without words, the last two pale",
      draw: () => fromWeightsSvg(sample(1)),
    },
    {
      name: "from-weights/by-variance.svg",
      shows: "two heads beside each other under a notice, directions out of the order of their numbers",
      draw: () => fromWeightsSvg(byVariance),
    },
    {
      name: "from-weights/hostile.svg",
      shows: "names that are markup and 5,000 letters: cut, and shown as text",
      draw: () => fromWeightsSvg(hostile),
    },
    {
      name: "from-weights/page.html",
      shows: "the same as a page, with a column for the variance",
      draw: () => fromWeightsHtml(byVariance),
    },
    {
      name: "from-weights/terminal.txt",
      shows: "three directions of each head",
      draw: () => fromWeightsTerminal(sample(2), { columns: 100 }),
    },
  ],
};
