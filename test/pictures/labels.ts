import type { LabelResult } from "../../src/results/label.ts";
import { BARE, head, RESULT } from "../../src/views/labels/labels.fixture.ts";
import { labelsHtml } from "../../src/views/labels/page.ts";
import { labelsTerminal } from "../../src/views/labels/terminal.ts";
import type { Gallery } from "./picture.ts";

const bare: LabelResult = { ...BARE, inconsistencies: [] };
/** Two labellers, a head without texts, one that nobody judged, and a label that commands a terminal. */
const mixed: LabelResult = {
  ...RESULT,
  heads: [
    ...RESULT.heads,
    head("L3.H3", "\u001b[31mred\u202e", [false, false], "by hand", "by hand"),
    head("L3.H4", "a label that is much longer than any column has room for", [], "by hand"),
  ],
};

export const labels: Gallery = {
  title: "Labels",
  pictures: [
    {
      name: "labels/page.html",
      shows: "who labelled each head, how many texts fit, and labels that contradict each other",
      draw: () => labelsHtml(mixed),
    },
    {
      name: "labels/page-bare.html",
      shows: "labels that came without anything beside them: two columns",
      draw: () => labelsHtml(bare),
    },
    {
      name: "labels/terminal-120.txt",
      shows: "texts beside the labels",
      draw: () => labelsTerminal(mixed, { columns: 120 }),
    },
    {
      name: "labels/terminal-80.txt",
      shows: "texts below the labels where they leave less room",
      draw: () => labelsTerminal(mixed, { columns: 80 }),
    },
    {
      name: "labels/terminal-40.txt",
      shows: "the same on a narrow terminal",
      draw: () => labelsTerminal(RESULT, { columns: 40 }),
    },
    {
      name: "labels/terminal-bare.txt",
      shows: "labels alone",
      draw: () => labelsTerminal(bare, { columns: 80 }),
    },
  ],
};
