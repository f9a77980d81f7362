import { shareColour } from "../../src/views/kit/colour.ts";
import { paintGrid } from "../../src/views/kit/heatmap.ts";
import {
  AGREEMENT,
  type SegmentationSheetInput,
  type SheetItem,
  segmentationSheetHtml,
  segmentationSheetSvg,
} from "../../src/views/segmentation-sheet/svg.ts";
import { canvas, gridOf, mapOf, painted } from "./heat.ts";
import type { Gallery } from "./picture.ts";
import { drawn } from "./stored-png.ts";

const SIDE = 16;
const WHOLE = canvas(SIDE, SIDE, { x: 0, y: 0, width: SIDE, height: SIDE });
const PATCHES = 4;
/** The patches of the mask: where the ball is. */
const MASK = [4, 5, 8, 9];

const channels = (hex: string) =>
  [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16)) as [number, number, number];

/** An answer whose map is strongest at a patch of the 4 × 4, with the agreement that follows from that. */
function item(name: string, predicted: string, row: number, column: number): SheetItem {
  const values = mapOf(PATCHES, { row, column }, 1).map((value) => Math.max(0, value));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = values.map((value) => value > mean);
  const count = (is: (at: number) => boolean) => values.filter((_, at) => is(at)).length;
  const iou = count((at) => found[at] && MASK.includes(at)) / count((at) => found[at] || MASK.includes(at));
  const agreement = painted(WHOLE, (down, across) => {
    const at = Math.floor(down * PATCHES) * PATCHES + Math.floor(across * PATCHES);
    if (MASK.includes(at)) return channels(found[at] ? AGREEMENT.both : AGREEMENT.missed);
    return found[at] ? channels(AGREEMENT.wrong) : [255, 255, 255];
  });
  return {
    ...{ name, predicted, iou, agreement, image: drawn(WHOLE.rgb, SIDE, SIDE) },
    map: painted(WHOLE, paintGrid(gridOf(PATCHES, values), 0, 1, shareColour)),
  };
}

const share = (value: number, either = 0.03) => ({ value, low: value - either, high: value + either });

const input: SegmentationSheetInput = {
  ...{ model: "world-tiny", source: "scenes", images: 1200 },
  columns: [
    { group: "true classes", title: "pixel accuracy" },
    { group: "true classes", title: "mIoU" },
    { group: "true classes", title: "mAP" },
    { group: "named classes", title: "mIoU" },
  ],
  methods: [
    { name: "all heads", isControl: false, measures: [share(0.712), share(0.468), share(0.8), share(0.41)] },
    {
      name: "last 2 layers",
      isControl: false,
      measures: [share(0.702), share(0.512), share(0.79), share(0.44)],
    },
    {
      name: "attention rollout of all the layers together",
      isControl: false,
      measures: [share(0.6), share(0.3), share(0.99, 0.04), share(0.01, 0.03)],
    },
    {
      name: "nothing is found",
      isControl: true,
      measures: [share(0.85, 0.005), share(0.4), share(0.5), share(0)],
    },
    {
      name: "the middle",
      isControl: true,
      measures: [share(0.52), share(0.35), share(0.6), share(0.2, 0.1)],
    },
  ],
  rows: [
    { title: "best", items: [item("ball", "ball", 2, 1), item("ball", "ball", 1, 1)] },
    { title: "middle", items: [item("ball", "sun", 2, 0)] },
    {
      title: "worst",
      items: [
        item("ball", "grass", 0, 3),
        item("ball", "a ball that somebody left on the grass before the house of the neighbours", 3, 3),
        item("a ball that somebody left on the grass before the house of the neighbours", "sky", 0, 0),
        item("ball", "ball", 3, 2),
        item("ball", "sky", 0, 2),
      ],
    },
  ],
};

export const segmentationSheet: Gallery = {
  title: "how well segmentations find things",
  pictures: [
    {
      name: "segmentation-sheet/methods.svg",
      shows:
        "Five methods by four measures, the best of each in bold, two controls in gray; below, answers: green where mask and map agree, orange missed, blue wrong.",
      draw: () => segmentationSheetSvg(input),
    },
    {
      name: "segmentation-sheet/noted.svg",
      shows: "One method by one measure, a notice, a long title, and no answers.",
      draw: () =>
        segmentationSheetSvg({
          ...{ model: "a model with a very long name ".repeat(4), source: "scenes", images: 1, rows: [] },
          columns: [{ group: "true classes", title: "mIoU" }],
          methods: [{ name: "all heads", isControl: false, measures: [share(0.5, 0.2)] }],
          notice: "One image says little: its interval is that of a single answer.",
        }),
    },
    {
      name: "segmentation-sheet/page.html",
      shows: "The page: one row of answers, and the numbers with their intervals.",
      draw: () => segmentationSheetHtml({ ...input, rows: [input.rows[1]] }),
    },
  ],
};
