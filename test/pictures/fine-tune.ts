import { hostile, resultOf, sample, tunedHead } from "../../src/views/fine-tune/fine-tune.fixture.ts";
import { fineTuneHtml } from "../../src/views/fine-tune/page.ts";
import { fineTuneSvg } from "../../src/views/fine-tune/svg.ts";
import { fineTuneTerminal } from "../../src/views/fine-tune/terminal.ts";
import type { Gallery } from "./picture.ts";

const three = resultOf(
  [
    tunedHead("L3.H1", 0.4, [0.5, 0.3, 0.2]),
    tunedHead("L0.H2", 0.12, [1, 0, 0]),
    tunedHead("L2.H0", 0.0003, [0, 0, 1]),
    tunedHead("L1.H1", 0, [0, 0, 0]),
  ],
  { notice: "a small model" },
);

export const fineTune: Gallery = {
  title: "A fine-tune beside its base",
  pictures: [
    {
      name: "fine-tune/three-heads.svg",
      shows:
        "three heads of four that changed, under a notice: one in three parts, one reweighted, one hardly",
      draw: () => fineTuneSvg(three),
    },
    {
      name: "fine-tune/hostile.svg",
      shows: "names that are markup and 5,000 letters: cut, and shown as text",
      draw: () => fineTuneSvg(hostile),
    },
    {
      name: "fine-tune/page.html",
      shows: "the same as a page, with its table",
      draw: () => fineTuneHtml(three),
    },
    {
      name: "fine-tune/terminal.txt",
      shows: "the twenty heads that changed most, and how many more did",
      draw: () => fineTuneTerminal(sample(25), { columns: 120 }),
    },
  ],
};
