import type { SegmentationAnswer } from "../../src/results/segmentation-evaluation.ts";
import { segmentationSheetHtml } from "../../src/views/segmentation-sheet/page.ts";
import { type AnswerPictures, answerPictures } from "../../src/views/segmentation-sheet/panels.ts";
import { method, sampleEvaluation } from "../../src/views/segmentation-sheet/segmentation-sheet.fixture.ts";
import { segmentationSheetSvg } from "../../src/views/segmentation-sheet/svg.ts";
import { segmentationSheetTerminal } from "../../src/views/segmentation-sheet/terminal.ts";
import { canvas, mapOf } from "./heat.ts";
import type { Gallery } from "./picture.ts";
import { drawn } from "./stored-png.ts";

const SIDE = 16;
const { rgb } = canvas(SIDE, SIDE, { x: 0, y: 0, width: SIDE, height: SIDE });
const PATCHES = 4;
/** The patches of the mask: where the ball is; and one that nobody labelled. */
const MASK = [4, 5, 8, 9];
const IGNORED = 12;

/** The patch of each pixel. */
const patches = Array.from(
  { length: SIDE * SIDE },
  (_, i) => Math.floor(i / SIDE / 4) * PATCHES + Math.floor((i % SIDE) / 4),
);

/** An answer whose map is strongest at a patch of the 4 × 4, with the agreement that follows from that. */
function item(
  rank: SegmentationAnswer["rank"],
  name: string,
  predicted: string,
  row: number,
  column: number,
): { answer: SegmentationAnswer; pictures: Promise<AnswerPictures> } {
  const values = mapOf(PATCHES, { row, column }, 1).map((value) => Math.max(0, value));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = values.map((value) => value > mean);
  const count = (is: (at: number) => boolean) => values.filter((_, at) => is(at)).length;
  const iou = count((at) => found[at] && MASK.includes(at)) / count((at) => found[at] || MASK.includes(at));
  const pixels = {
    ...{ size: SIDE, rgb, relevance: Float64Array.from(patches, (at) => values[at]) },
    found: Uint8Array.from(patches, (at) => (found[at] ? 1 : 0)),
    mask: Int8Array.from(patches, (at) => (MASK.includes(at) ? 1 : at === IGNORED ? -1 : 0)),
  };
  const pictures = answerPictures(pixels, async (painted) => drawn(painted, SIDE, SIDE).png);
  return { answer: { ...{ rank, image: "a.png", name, predicted, iou } }, pictures };
}

const LONG = "a ball that somebody left on the grass before the house of the neighbours";
const items = [
  item("best", "ball", "ball", 2, 1),
  item("best", "ball", "ball", 1, 1),
  item("middle", "ball", "sun", 2, 0),
  item("worst", "ball", "grass", 0, 3),
  item("worst", "ball", LONG, 3, 3),
  item("worst", LONG, "sky", 0, 0),
  item("worst", "ball", "ball", 3, 2),
  item("worst", "ball", "sky", 0, 2),
];
const answersOf = (of: typeof items) => of.map(({ answer }) => answer);
const picturesOf = async (of: typeof items) => ({
  answers: await Promise.all(of.map(({ pictures }) => pictures)),
});

const share = (value: number, either = 0.03) => ({ value, low: value - either, high: value + either });
const methods = [
  method("all heads", [0.7, 0.41, 0.77, 0.712, 0.468, 0.8]),
  method("last 2 layers", [0.69, 0.44, 0.75, 0.702, 0.512, 0.79]),
  method(
    "attention rollout of all the layers together",
    [0.55, share(0.01, 0.03), 0.9, 0.6, 0.3, share(0.99, 0.04)],
    "paper",
  ),
  method("nothing is found", [share(0.84, 0.005), share(0), 0.5, share(0.85, 0.005), 0.4, 0.5], "control"),
  method("the middle", [0.5, share(0.2, 0.1), 0.6, 0.52, 0.35, 0.6], "control"),
];
const evaluation = (of: typeof items) => sampleEvaluation(methods, answersOf(of), { model: "world-tiny" });

export const segmentationSheet: Gallery = {
  title: "how well segmentations find things",
  pictures: [
    {
      name: "segmentation-sheet/methods.svg",
      shows:
        "Five methods by six measures, the best of each in bold, two controls in gray; below, answers: green where mask and map agree, orange missed, blue wrong, gray where nobody labelled.",
      draw: async () => segmentationSheetSvg(evaluation(items), await picturesOf(items)),
    },
    {
      name: "segmentation-sheet/noted.svg",
      shows:
        "One method, a notice, a long name of a model that leaves the rest of the title whole, and no answers.",
      draw: () =>
        segmentationSheetSvg(
          sampleEvaluation(
            [
              method(
                "all heads",
                Array.from({ length: 6 }, () => share(0.5, 0.2)),
              ),
            ],
            [],
            {
              model: "a model with a very long name ".repeat(4),
              notice: "One image says little: its interval is that of a single answer.",
            },
          ),
          { answers: [] },
        ),
    },
    {
      name: "segmentation-sheet/page.html",
      shows: "The page: one row of answers, and the numbers with their intervals.",
      draw: async () => {
        const middle = items.slice(2, 3);
        return segmentationSheetHtml(evaluation(middle), await picturesOf(middle));
      },
    },
    {
      name: "segmentation-sheet/terminal-160.txt",
      shows: "a table for each question, with the papers of the methods",
      draw: () => segmentationSheetTerminal(evaluation(items), { columns: 160 }),
    },
    {
      name: "segmentation-sheet/terminal-60.txt",
      shows: "the same on a narrow terminal: a list for each method; images that the model knows nothing of",
      draw: () =>
        segmentationSheetTerminal(
          {
            ...sampleEvaluation(methods.slice(0, 2), [], { notice: "A small model." }),
            ...{ foreign: true, leftOut: 3, unmatched: ["b\u001b[1m.png"] },
            rejected: [{ path: "c.png", code: "MASKS_INVALID", message: "c.png shows no class here" }],
          },
          { columns: 60 },
        ),
    },
  ],
};
