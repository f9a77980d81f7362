import { BARE, head, INPUT } from "../../src/views/labels/labels.fixture.ts";
import { labelListHtml } from "../../src/views/labels/page.ts";
import { labelListText } from "../../src/views/labels/terminal.ts";
import type { LabelListInput } from "../../src/views/labels/words.ts";
import type { Gallery } from "./picture.ts";

const bare: LabelListInput = {
  ...BARE,
  heads: BARE.heads.map((one) => ({ ...one, descriptions: [] })),
  inconsistencies: [],
};
/** Two labellers, a head without texts, one that nobody judged, and a label that commands a terminal. */
const mixed: LabelListInput = {
  ...INPUT,
  labelledBy: ["the commonest tag", "by hand"],
  judgedBy: ["comparing tags", "by hand"],
  heads: [
    ...INPUT.heads,
    { ...head("L3.H3", "\u001b[31mred\u202e", false, false), labelledBy: "by hand" },
    { ...head("L3.H4", "a label that is much longer than any column has room for"), labelledBy: "by hand" },
  ],
};

export const labels: Gallery = {
  title: "Labels",
  pictures: [
    {
      name: "labels/page.html",
      shows: "who labelled each head, how many texts fit, and labels that contradict each other",
      draw: () => labelListHtml(mixed),
    },
    {
      name: "labels/page-bare.html",
      shows: "labels that came without anything beside them: two columns",
      draw: () => labelListHtml(bare),
    },
    {
      name: "labels/terminal-120.txt",
      shows: "texts beside the labels",
      draw: () => labelListText(mixed, { columns: 120 }),
    },
    {
      name: "labels/terminal-80.txt",
      shows: "texts below the labels where they leave less room",
      draw: () => labelListText(mixed, { columns: 80 }),
    },
    {
      name: "labels/terminal-40.txt",
      shows: "the same on a narrow terminal",
      draw: () => labelListText(INPUT, { columns: 40 }),
    },
    {
      name: "labels/terminal-bare.txt",
      shows: "labels alone",
      draw: () => labelListText(bare, { columns: 80 }),
    },
  ],
};
