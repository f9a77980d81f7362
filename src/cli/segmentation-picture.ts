import type { Segmentation, TextMap } from "../analysis/segmentation/segmentation.ts";
import { displayPicture, type RgbPicture } from "../image/display.ts";
import { encodePng } from "../image/encode.ts";
import { headName } from "../model/components.ts";
import { apartColour, shareColour, signedScale } from "../views/kit/colour.ts";
import {
  type Canvas,
  fadeUnseen,
  type Paint,
  paintGrid,
  paintOver,
  paintWinners,
} from "../views/kit/heatmap.ts";
import type { Picture } from "../views/kit/svg.ts";
import type { SegmentationLines } from "../views/segmentation/terminal.ts";
import type {
  BaselinePanel,
  SegmentationInput,
  SegmentedText,
  ShownSize,
  WinnerPanel,
} from "../views/segmentation/words.ts";

/** What a picture says of a segmentation beside its maps. */
export interface SegmentationHeading {
  readonly model: string;
  readonly imageName: string;
  readonly heads: string;
  readonly headCount: number;
  readonly patch?: number;
  readonly notice?: string;
}

/** The part of the picture that the model looked at becomes this large, if the whole then fits. */
const CROP_SIDE = 320;
const MAX_SHOWN = { width: 1240, height: 860 };
/** Pixels of the picture for each on the page, where the original has them. */
const SHARPNESS = 2;

/** Draws every map on the original image. */
export async function segmentationPicture(
  found: Segmentation,
  source: string | Uint8Array,
  heading: SegmentationHeading,
  exif: boolean,
): Promise<SegmentationInput> {
  const shown = shownSize(found);
  const canvas = await canvasOf(found, shown, source, exif);
  const { grid } = found;
  const gridOf = (values: ArrayLike<number>) => ({ rows: grid, columns: grid, values });
  const picture = (paint: Paint) => encode(canvas, paintOver(canvas, paint));
  const texts = await Promise.all(
    found.texts.map(async (text) => {
      const words = segmentedText(text, grid, heading.patch);
      const { limit, colour } = signedScale(words.limit);
      const paint = paintGrid(gridOf(text.map.values), -limit, limit, (position) =>
        colour((2 * position - 1) * limit),
      );
      return { ...words, overlay: await picture(paint) };
    }),
  );
  return {
    ...linesOf(found, heading),
    shown,
    original: await encode(canvas, fadeUnseen(canvas)),
    texts,
    ...(found.winners && { winners: await winnerPanel(found, gridOf, picture) }),
    ...(found.baselines && { baselines: await baselinePanels(found, gridOf, picture) }),
  };
}

/** What a terminal shows of a segmentation. */
export function segmentationLines(found: Segmentation, heading: SegmentationHeading): SegmentationLines {
  return {
    ...linesOf(found, heading),
    texts: found.texts.map((text) => ({
      ...segmentedText(text, found.grid, heading.patch),
      values: text.map.values,
    })),
    ...(found.winners && {
      winners: found.texts.map(({ text }, i) => ({ text, patches: found.winners!.counts[i] })),
    }),
  };
}

function linesOf(found: Segmentation, { patch: _, ...heading }: SegmentationHeading) {
  return {
    ...heading,
    width: found.shown.width,
    height: found.shown.height,
    mode: found.mode,
    grid: found.grid,
    shown: shownSize(found),
  };
}

function segmentedText({ text, similarity, map, heads }: TextMap, grid: number, patch: number | undefined) {
  const { patches, cls, sum, score, error, values } = map;
  const chosen: SegmentedText["patch"] =
    patch === undefined || !heads
      ? undefined
      : {
          row: Math.floor(patch / grid),
          column: patch % grid,
          value: values[patch],
          heads: heads.map(({ layer, head, value }) => ({ name: headName(layer, head), value })),
        };
  const limit = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return { text, limit, similarity, patches, cls, sum, score, error, ...(chosen && { patch: chosen }) };
}

/** The size on the page: what the model looked at in a size that can be read, the whole within the page. */
function shownSize({ shown, placement }: Segmentation): ShownSize {
  const scale = Math.min(
    CROP_SIDE / Math.max(placement.width, placement.height),
    MAX_SHOWN.width / shown.width,
    MAX_SHOWN.height / shown.height,
  );
  return {
    width: shown.width * scale,
    height: shown.height * scale,
    covered: {
      x: placement.x * scale,
      y: placement.y * scale,
      width: placement.width * scale,
      height: placement.height * scale,
    },
  };
}

async function canvasOf(
  { shown: { width, height }, placement }: Segmentation,
  shown: ShownSize,
  source: string | Uint8Array,
  exif: boolean,
): Promise<Canvas> {
  const scale = (SHARPNESS * shown.width) / width;
  const size = (pixels: number) => Math.max(1, Math.round(pixels * scale));
  const picture = await displayPicture(source, size(width), size(height), { exif });
  const [across, down] = [picture.width / width, picture.height / height];
  return {
    ...picture,
    covered: {
      x: placement.x * across,
      y: placement.y * down,
      width: placement.width * across,
      height: placement.height * down,
    },
  };
}

async function encode({ width, height }: RgbPicture, rgb: Uint8Array): Promise<Picture> {
  return { png: await encodePng(rgb, width, height), width, height };
}

type ToGrid = (values: ArrayLike<number>) => { rows: number; columns: number; values: ArrayLike<number> };
type ToPicture = (paint: Paint) => Promise<Picture>;

async function winnerPanel(
  { winners, topics, texts }: Segmentation,
  gridOf: ToGrid,
  picture: ToPicture,
): Promise<WinnerPanel> {
  const largestMargin = winners!.margin.reduce((largest, margin) => Math.max(largest, margin), 0);
  const colours = texts.map((_, i) => apartColour(i));
  return {
    overlay: await picture(paintWinners(topics.map(gridOf), colours, largestMargin || 1)),
    texts: texts.map(({ text }, i) => ({ text, colour: colours[i], patches: winners!.counts[i] })),
    largestMargin,
  };
}

function baselinePanels(
  { baselines, texts }: Segmentation,
  gridOf: ToGrid,
  picture: ToPicture,
): Promise<BaselinePanel[]> {
  return Promise.all(
    baselines!.map(async ({ title, paper, text, values }) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const overlay = await picture(paintGrid(gridOf(values), low, high, shareColour));
      return { title, paper, text: text === null ? null : texts[text].text, low, high, overlay };
    }),
  );
}
