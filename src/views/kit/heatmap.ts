import { type Grid, sampleBilinear } from "../../math/bilinear.ts";
import { apart, HATCH_LIGHT } from "./colour.ts";

/** 8-bit RGB pixels, [height, width, 3], and the part of them that a map covers, in their pixels. */
export interface Canvas {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly covered: Area;
}

/** A rectangle in pixels; fractions allowed. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A colour as three channels of 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colour of a map at a point of the area that it covers, from (0, 0) to (1, 1). */
export type Paint = (down: number, across: number) => Rgb;

/** What is left of a picture's contrast where the model did not look. */
const UNSEEN_CONTRAST = 0.3;
/** How light paint is where the picture is as light as on average: colours stay near those of the scale. */
const AVERAGE_LIGHT = 0.88;
/** How much of the picture's contrast shows through paint, and how dark it may make it. */
const CONTRAST = 0.7;
const DARKEST = 0.45;

/**
 * Paints a map over a picture: where it lies, its colours, shaded by the picture in gray; elsewhere, where the model
 * did not look, the picture faded.
 */
export function paintOver({ rgb, width, height, covered }: Canvas, paint: Paint): Uint8Array {
  const painted = new Uint8Array(rgb.length);
  const gray = grayOf(rgb);
  const average = gray.reduce((sum, value) => sum + value, 0) / gray.length;
  for (let y = 0, at = 0; y < height; y++) {
    const down = (y + 0.5 - covered.y) / covered.height;
    for (let x = 0; x < width; x++, at += 3) {
      const across = (x + 0.5 - covered.x) / covered.width;
      const value = gray[at / 3];
      if (down < 0 || down > 1 || across < 0 || across > 1) {
        painted.fill(faded(value), at, at + 3);
        continue;
      }
      const colour = paint(down, across);
      const contrast = (CONTRAST * (value - average)) / 255;
      const light = Math.min(1, Math.max(DARKEST, AVERAGE_LIGHT + contrast));
      painted[at] = colour[0] * light;
      painted[at + 1] = colour[1] * light;
      painted[at + 2] = colour[2] * light;
    }
  }
  return painted;
}

/** The picture in its colours where the model looked, faded where it did not. */
export function fadeUnseen({ rgb, width, height, covered }: Canvas): Uint8Array {
  const shown = Uint8Array.from(rgb);
  const gray = grayOf(rgb);
  for (let y = 0, at = 0; y < height; y++) {
    const rowInside = y + 0.5 >= covered.y && y + 0.5 <= covered.y + covered.height;
    for (let x = 0; x < width; x++, at += 3) {
      if (rowInside && x + 0.5 >= covered.x && x + 0.5 <= covered.x + covered.width) continue;
      shown.fill(faded(gray[at / 3]), at, at + 3);
    }
  }
  return shown;
}

/** Luma of each pixel, as JPEG and Pillow compute it. */
function grayOf(rgb: Uint8Array): Float32Array {
  const gray = new Float32Array(rgb.length / 3);
  for (let i = 0; i < gray.length; i++)
    gray[i] = 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
  return gray;
}

const faded = (gray: number): number => 255 - (255 - gray) * UNSEEN_CONTRAST;

/** Steps of a colour scale that are mixed beforehand, from one end to the other. */
const STEPS = 512;

/**
 * Paint for a grid of values: the colour of the bilinear value.
 * @param low,high the values at the ends of the scale
 * @param colour for a position on the scale, from 0 to 1, as `#rrggbb`
 * @param squares each cell in its own colour instead
 */
export function paintGrid(
  grid: Grid,
  low: number,
  high: number,
  colour: (position: number) => string,
  squares = false,
): Paint {
  const colours = Array.from({ length: STEPS + 1 }, (_, step) => channelsOf(colour(step / STEPS)));
  const span = high > low ? high - low : 1;
  return (down, across) => {
    const value = valueAt(grid, down, across, squares);
    return colours[Math.round(Math.min(1, Math.max(0, (value - low) / span)) * STEPS)];
  };
}

/** Paint for several grids: as {@link apart} draws the highest, paler the nearer the next is. */
export function paintWinners(grids: readonly Grid[], largestMargin: number, squares = false): Paint {
  const looks = grids.map((_, i) => {
    const { colour, hatch } = apart(i);
    return { channels: channelsOf(colour), hatch };
  });
  return (down, across) => {
    let [winner, best, next] = [0, -Infinity, -Infinity];
    for (const [i, grid] of grids.entries()) {
      const value = valueAt(grid, down, across, squares);
      if (value > best) [winner, best, next] = [i, value, best];
      else next = Math.max(next, value);
    }
    // The square root keeps small leads apart from none.
    const strength = 0.15 + 0.85 * Math.sqrt(Math.min(1, (best - next) / largestMargin));
    const { channels, hatch } = looks[winner];
    const light = onHatch(hatch, down * grids[0].rows, across * grids[0].columns) ? HATCH_LIGHT : 1;
    const [red, green, blue] = channels.map((channel) => (255 - (255 - channel) * strength) * light);
    return [red, green, blue];
  };
}

function valueAt(grid: Grid, down: number, across: number, squares: boolean): number {
  const middle = (at: number, count: number) => Math.min(count - 1, Math.floor(at * count)) + 0.5;
  return squares
    ? sampleBilinear(grid, middle(down, grid.rows), middle(across, grid.columns))
    : sampleBilinear(grid, down * grid.rows, across * grid.columns);
}

/** Whether a line of {@link apart}'s hatching lies at a place, in patches. */
function onHatch(hatch: number, down: number, across: number): boolean {
  const onLine = (position: number) => position * 2 - Math.floor(position * 2) < 0.3;
  return ((hatch & 1) !== 0 && onLine(down + across)) || ((hatch & 2) !== 0 && onLine(down - across));
}

function channelsOf(hex: string): Rgb {
  const channel = (start: number) => Number.parseInt(hex.slice(start, start + 2), 16);
  return [channel(1), channel(3), channel(5)];
}
