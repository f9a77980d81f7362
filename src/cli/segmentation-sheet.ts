import {
  type EvaluatedUnit,
  PROTOCOLS,
  type SegmentationEvaluation,
  type UnitPicture,
} from "../analysis/segmentation/evaluate.ts";
import { FOREGROUND, IGNORED, threshold } from "../analysis/segmentation/metrics.ts";
import { encodePng } from "../image/encode.ts";
import { shareColour } from "../views/kit/colour.ts";
import { paintGrid, paintOver, type Rgb } from "../views/kit/heatmap.ts";
import { AGREEMENT, type SegmentationSheetInput, type SheetItem } from "../views/segmentation-sheet/svg.ts";

/** The measures that are shown, in order. */
export const MEASURES = [
  ["pixelAccuracy", "pixel accuracy"],
  ["meanIou", "mIoU"],
  ["meanPrecision", "mAP"],
] as const;

/** The two questions in words. */
export const QUESTIONS = { predicted: "predicted class", true: "true classes" } as const;

const SHOWN = 8;

/** Which answers a sheet shows: the best, those around the middle, and the worst. */
export function chooseUnits(
  units: readonly EvaluatedUnit[],
): { title: string; units: readonly EvaluatedUnit[] }[] {
  const most = Math.min(SHOWN, Math.max(1, Math.floor(units.length / 3)));
  const middle = Math.max(0, Math.floor((units.length - most) / 2));
  return [
    { title: "best", units: units.slice(0, most) },
    { title: "middle", units: units.slice(middle, middle + most) },
    { title: "worst", units: units.slice(-most) },
  ];
}

/** The sheet of an evaluation. */
export async function sheetOf(
  found: SegmentationEvaluation,
  rows: readonly { readonly title: string; readonly pictures: readonly UnitPicture[] }[],
  words: {
    readonly model: string;
    readonly source: string;
    readonly classes: readonly string[];
    readonly notice?: string;
  },
): Promise<SegmentationSheetInput> {
  const { classes, ...heading } = words;
  return {
    ...heading,
    images: found.images,
    columns: PROTOCOLS.flatMap((protocol) =>
      MEASURES.map(([, title]) => ({ group: QUESTIONS[protocol], title })),
    ),
    methods: found.methods.map(({ name, paper, heads, measures }) => ({
      name,
      isControl: paper === null && heads.length === 0,
      measures: PROTOCOLS.flatMap((protocol) => MEASURES.map(([metric]) => measures[protocol][metric])),
    })),
    rows: await Promise.all(
      rows.map(async ({ title, pictures }) => ({
        title,
        items: await Promise.all(pictures.map((picture) => itemOf(picture, found.size, classes))),
      })),
    ),
  };
}

async function itemOf(
  { unit, rgb, mask, relevance }: UnitPicture,
  size: number,
  classes: readonly string[],
): Promise<SheetItem> {
  const covered = { x: 0, y: 0, width: size, height: size };
  const canvas = { rgb, width: size, height: size, covered };
  const picture = async (pixels: Uint8Array) => ({
    png: await encodePng(pixels, size, size),
    width: size,
    height: size,
  });
  const grid = { rows: size, columns: size, values: relevance };
  const predicted = threshold(relevance);
  const agreement = (down: number, across: number): Rgb => {
    const at =
      Math.min(size - 1, Math.floor(down * size)) * size + Math.min(size - 1, Math.floor(across * size));
    const inMask = mask[at] === FOREGROUND;
    if (mask[at] === IGNORED) return [200, 200, 200];
    if (inMask) return channels(predicted[at] === 1 ? AGREEMENT.both : AGREEMENT.missed);
    return predicted[at] === 1 ? channels(AGREEMENT.wrong) : [255, 255, 255];
  };
  return {
    name: unit.name,
    predicted: classes[unit.predicted],
    iou: unit.iou,
    image: await picture(rgb),
    map: await picture(paintOver(canvas, paintGrid(grid, 0, 1, shareColour))),
    agreement: await picture(paintOver(canvas, agreement)),
  };
}

const channels = (hex: string): Rgb => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];
