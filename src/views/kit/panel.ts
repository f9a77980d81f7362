import { signedScale } from "./colour.ts";
import { type Area, type Canvas, fadeUnseen, type Paint, paintGrid, paintOver } from "./heatmap.ts";
import type { Picture } from "./svg.ts";

/*
 * Pictures of an image with maps on it, from numbers and pixels alone: the same in Node and in a browser, which differ
 * only in how they read pixels and in how they make a PNG of them.
 */

/** Makes a PNG of 8-bit RGB pixels, [height, width, 3]. */
export type EncodePng = (rgb: Uint8Array, width: number, height: number) => Promise<Uint8Array>;

/** 8-bit RGB pixels of the whole original, [height, width, 3], in any size. */
export type Pixels = Omit<Canvas, "covered">;

/** An image, and where on it the patches lie, in its pixels. */
export interface Placed {
  readonly grid: { readonly rows: number; readonly columns: number };
  readonly original: { readonly width: number; readonly height: number };
  readonly placement: Area;
}

/** A size on the page, and the part of it that a map covers. */
export interface ShownSize {
  readonly width: number;
  readonly height: number;
  readonly covered: Area;
}

/** Whether a map covers the whole picture. */
export const seesAll = ({ width, height, covered }: ShownSize): boolean =>
  covered.width >= width - 0.5 && covered.height >= height - 0.5;

/** The part of the picture that the model looked at becomes this large, if the whole then fits. */
const CROP_SIDE = 320;
const MAX_SHOWN = { width: 1240, height: 860 };
/** Pixels of the picture for each on the page. */
const SHARPNESS = 2;

/** The size on the page: what the model looked at in a size that can be read, the whole within the page. */
export function shownSize({ original, placement }: Placed): ShownSize {
  const scale = Math.min(
    CROP_SIDE / Math.max(placement.width, placement.height),
    MAX_SHOWN.width / original.width,
    MAX_SHOWN.height / original.height,
  );
  const [width, height] = [original.width * scale, original.height * scale];
  return { width, height, covered: coveredBy(placement, scale, scale) };
}

/**
 * How many pixels of the image a picture of `shownSize` is drawn from.
 *
 * @example
 * ```ts
 * import { openModel, parseHeads, segmentImage } from "clip-interpret";
 * import { pixelSize } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await segmentImage(model, scene, ["a monkey"], { set: parseHeads(model, "last2") });
 * console.log(pixelSize(result)); // → { width: 640, height: 640 }
 * ```
 */
export function pixelSize(placed: Placed): { width: number; height: number } {
  const { width, height } = shownSize(placed);
  const size = (side: number) => Math.max(1, Math.round(SHARPNESS * side));
  return { width: size(width), height: size(height) };
}

/** Pixels to paint a map on. */
export function canvasOf(pixels: Pixels, { original, placement }: Omit<Placed, "grid">): Canvas {
  const { rgb, width, height } = pixels;
  const covered = coveredBy(placement, width / original.width, height / original.height);
  return { rgb, width, height, covered };
}

const coveredBy = ({ x, y, width, height }: Area, across: number, down: number): Area => ({
  ...{ x: x * across, y: y * down, width: width * across, height: height * down },
});

/** How a map is laid on a picture. */
export interface Cover {
  /** How much of the map covers the picture, from 0 to 1. */
  readonly opacity?: number;
  /** Every patch in its own colour, instead of smoothed between their middles. */
  readonly squares?: boolean;
}

/** Paint for patches by row, red above zero and blue below it, at full strength at ±`limit`. */
export function signedPaint(
  values: readonly (readonly number[])[],
  limit: number,
  { squares }: Cover = {},
): Paint {
  const scale = signedScale(limit);
  const colour = (position: number) => scale.colour(scale.limit * (2 * position - 1));
  return paintGrid(gridOf(values), -scale.limit, scale.limit, colour, squares);
}

/** Patches by row as a grid. */
export const gridOf = (rows: readonly (readonly number[])[]) => ({
  ...{ rows: rows.length, columns: rows[0]?.length ?? 0, values: rows.flat() },
});

/** The pixels of a picture with a map on it; without paint those of the picture, faded where the model did not look. */
export function paintPicture(canvas: Canvas, paint?: Paint, { opacity = 1 }: Cover = {}): Uint8Array {
  if (!paint || opacity <= 0) return fadeUnseen(canvas);
  const painted = paintOver(canvas, paint);
  if (opacity >= 1) return painted;
  const plain = fadeUnseen(canvas);
  return painted.map((value, i) => Math.round(plain[i] + opacity * (value - plain[i])));
}

/** {@link paintPicture} as a PNG. */
export async function pictureOf(
  canvas: Canvas,
  encodePng: EncodePng,
  paint?: Paint,
  cover?: Cover,
): Promise<Picture> {
  const { width, height } = canvas;
  return { png: await encodePng(paintPicture(canvas, paint, cover), width, height), width, height };
}

/** The largest size among values. */
export const largestOf = (values: Iterable<number>): number => {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
};
