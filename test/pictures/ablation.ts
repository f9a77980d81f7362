import { sampleOrigin } from "../../src/results/origin.fixture.ts";
import type { ZeroShotResult } from "../../src/results/zero-shot.ts";
import {
  band,
  components,
  ablation as hostile,
  named,
  row,
  share,
  whole,
} from "../../src/views/ablation/ablation.fixture.ts";
import { ablationHtml } from "../../src/views/ablation/page.ts";
import { ablationSvg } from "../../src/views/ablation/svg.ts";
import { ablationTerminal } from "../../src/views/ablation/terminal.ts";
import type { Gallery } from "./picture.ts";

const layered: ZeroShotResult = {
  origin: sampleOrigin({ model: {}, index: {} }),
  ...{ factor: "label", images: 500, leftOut: 0, classes: 4, chance: 0.25, replacement: "mean" },
  whole: whole(0.9),
  rows: [
    row("L2.H1, L0.H0", "set", null, 0.5),
    row("every MLP", "all", null, 0.7, false),
    row("every head", "all", null, 0.3, false),
    row("heads of L0", "layer", 0, 0.85),
    row("heads of L1", "layer", 1, 0.75),
    row("heads of L2", "layer", 2, 0.4),
    row("heads of L0 to L1", "up-to", 1, 0.65),
    row("all but heads of the last layer", "kept", 1, 0.45),
    row("all but heads of the last 2 layers", "kept", 2, 0.6),
  ],
  forward: null,
};
const grouped: ZeroShotResult = {
  ...layered,
  ...{ origin: sampleOrigin({ model: { notice: "an approximation" }, index: {} }), replacement: "zero" },
  whole: whole(0.9, named("bird on water", 0.6)),
  rows: [
    { ...row("L2.H1", "set", null, 0.5), worst: named("bird on land", 0.2) },
    {
      ...row("L0.H0", "set", null, 0.88),
      random: { ...band(0.7), exhaustive: true, draws: 6, atMost: 1, atLeast: 0 },
    },
  ],
  forward: {
    ...{ replacement: "tokens", images: 40, calibration: 30 },
    whole: { accuracy: share(0.8), worst: named("bird on water", 0.5) },
    rows: [
      {
        ...{ components: components("L2.H1"), accuracy: share(0.35), worst: named("bird on land", 0.1) },
        ...{ direct: { accuracy: share(0.55), worst: null }, random: band(0.7), randomWorst: null },
      },
      {
        ...{ components: components("L0.H0"), accuracy: share(0.78), worst: null },
        ...{ direct: { accuracy: share(0.79), worst: null }, random: null, randomWorst: null },
      },
    ],
  },
};
const nothing: ZeroShotResult = {
  ...layered,
  rows: [],
  forward: grouped.forward && { ...grouped.forward, replacement: "nothing", calibration: 0 },
};

export const ablation: Gallery = {
  title: "Ablation",
  pictures: [
    {
      name: "ablation/layers.svg",
      shows:
        "two curves by layer, then dots: the first curve falls from 90 % to 30 %, the second ends at 70 %",
      draw: () => ablationSvg(layered),
    },
    {
      name: "ablation/forward.svg",
      shows: "sets alone, set to zero, and the same sets taken away inside the network",
      draw: () => ablationSvg(grouped),
    },
    {
      name: "ablation/nothing.svg",
      shows: "no set was ablated directly; inside the network nothing takes a head's place",
      draw: () => ablationSvg(nothing),
    },
    {
      name: "ablation/hostile.svg",
      shows: "names that are markup and turn the direction of text: shown as text; means at each position",
      draw: () => ablationSvg(hostile),
    },
    {
      name: "ablation/page.html",
      shows: "the picture and a table with worst groups",
      draw: () => ablationHtml(grouped),
    },
    {
      name: "ablation/terminal-80.txt",
      shows: "a table with worst groups and one of full-forward ablation",
      draw: () => ablationTerminal(grouped, { columns: 80 }),
    },
    {
      name: "ablation/terminal-40.txt",
      shows: "no groups, on a narrow terminal: a list for each row",
      draw: () => ablationTerminal(layered, { columns: 40 }),
    },
    {
      name: "ablation/terminal-nothing.txt",
      shows: "no mean takes the place of heads inside the network",
      draw: () => ablationTerminal(nothing, { columns: 80 }),
    },
  ],
};
