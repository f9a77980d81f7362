import { signedScale } from "../../../src/views/kit/colour.ts";
import { type Canvas, fadeUnseen, type Paint, paintGrid, paintOver } from "../../../src/views/kit/heatmap.ts";

/** Where the grid of patches lies, in pixels of the original, and the original's size. */
export interface Placement {
  readonly width: number;
  readonly height: number;
  readonly grid: number;
  readonly placement: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** A picture's own pixels, drawn no larger than needed. */
export interface Pixels {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The largest size among values. */
export const largest = (values: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
};

/**
 * Paint for a map of patches, [grid²] by row, on a scale from −limit to +limit.
 * @param squares each patch in its own colour instead of smoothed between their middles
 */
export function mapPaint(values: ArrayLike<number>, grid: number, limit: number, squares: boolean): Paint {
  const scale = signedScale(limit);
  const colour = (position: number) => scale.colour(scale.limit * (2 * position - 1));
  const numbers = Float64Array.from({ length: values.length }, (_, i) => values[i]);
  const smooth = paintGrid({ values: numbers, rows: grid, columns: grid }, -scale.limit, scale.limit, colour);
  if (!squares) return smooth;
  const middle = (at: number) => (Math.min(grid - 1, Math.floor(at * grid)) + 0.5) / grid;
  return (down, across) => smooth(middle(down), middle(across));
}

/** The map of some heads: the sum of theirs, without the CLS token. @param tokens [L·H, 1 + grid²] */
export function sumOfHeads(tokens: Float32Array, grid: number, units: Iterable<number>): Float64Array {
  const n = 1 + grid * grid;
  const sum = new Float64Array(grid * grid);
  for (const unit of units) {
    for (let patch = 0; patch < sum.length; patch++) sum[patch] += tokens[unit * n + 1 + patch];
  }
  return sum;
}

/** What each head wrote at one patch. */
export function headsAtPatch(tokens: Float32Array, grid: number, patch: number): Float64Array {
  const n = 1 + grid * grid;
  return Float64Array.from({ length: tokens.length / n }, (_, unit) => tokens[unit * n + 1 + patch]);
}

/** The pixels that are shown, RGBA. */
export function paintPicture(
  { rgb, width, height }: Pixels,
  place: Placement | undefined,
  paint: Paint | undefined,
  opacity: number,
): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4);
  const canvas: Canvas = { rgb, width, height, covered: coveredBy(place, width, height) };
  const plain = place ? fadeUnseen(canvas) : rgb;
  const painted = place && paint ? paintOver(canvas, paint) : plain;
  const share = opacity / 100;
  for (let i = 0, at = 0; at < rgba.length; at += 4, i += 3) {
    for (let c = 0; c < 3; c++) rgba[at + c] = plain[i + c] + share * (painted[i + c] - plain[i + c]);
    rgba[at + 3] = 255;
  }
  return rgba;
}

function coveredBy(place: Placement | undefined, width: number, height: number): Canvas["covered"] {
  if (!place) return { x: 0, y: 0, width, height };
  const { placement } = place;
  const [across, down] = [width / place.width, height / place.height];
  return {
    x: placement.x * across,
    y: placement.y * down,
    width: placement.width * across,
    height: placement.height * down,
  };
}
