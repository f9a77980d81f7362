import { CHANNELS, type DecodedImage } from "./pixels.ts";

/** A resize of which only a window is wanted: the whole result would be `width`×`height`. */
export interface ResizeWindow {
  readonly width: number;
  readonly height: number;
  /** The window, in pixels of the result. */
  readonly left: number;
  readonly top: number;
  readonly windowWidth: number;
  readonly windowHeight: number;
}

/** For each result position wanted: the first source sample, how many, and their fixed-point weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [wanted, stride]; positions past `count` are zero. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** The filters that models are shown pictures through, named as OpenCLIP names them. */
export const INTERPOLATIONS = ["bicubic", "bilinear"] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** A filter of Pillow's: how far it reaches, and the weight of a sample at a distance. */
interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bicubic: { support: 2, weight: bicubic },
  bilinear: { support: 1, weight: (d) => Math.max(1 - d, 0) },
};

const PRECISION_BITS = 32 - 8 - 2;
const ROUND = 1 << (PRECISION_BITS - 1);

/**
 * A window of an image resized with one of Pillow's antialiased filters, bit for bit: a port of
 * `ImagingResample` for 8-bit samples (`src/libImaging/Resample.c`), which works in fixed point and rounds
 * after each of its two passes. Columns come first, whatever the shape, as in Pillow up to 12.1: later ones
 * turn the passes round for tall pictures (docs/images.md).
 * @returns [windowHeight, windowWidth, channels of the mode]
 */
export function resample(
  { data, mode, width, height }: DecodedImage,
  window: ResizeWindow,
  interpolation: Interpolation,
): Uint8Array<ArrayBuffer> {
  const channels = CHANNELS[mode];
  const filter = FILTERS[interpolation];
  const horizontal = tapsOf(filter, width, window.width, window.left, window.windowWidth);
  const vertical = tapsOf(filter, height, window.height, window.top, window.windowHeight);
  const { rows, firstRow } = resizeRows(data, width, channels, horizontal, vertical);
  return resizeColumns(rows, firstRow, window.windowWidth * channels, vertical);
}

/** Pillow's bicubic filter (a = −0.5). */
function bicubic(d: number): number {
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
}

/** `precompute_coeffs` and `normalize_coeffs_8bpc`, for the result positions start … start + wanted − 1. */
function tapsOf(
  { support: reach, weight: weightAt }: Filter,
  sourceSize: number,
  resultSize: number,
  start: number,
  wanted: number,
): Taps {
  const first = new Int32Array(wanted);
  const count = new Int32Array(wanted);
  if (sourceSize === resultSize) {
    // Pillow skips the pass; a single full weight gives the same samples.
    const weights = new Int32Array(wanted).fill(1 << PRECISION_BITS);
    return { first: first.map((_, i) => start + i), count: count.fill(1), weights, stride: 1 };
  }
  const scale = sourceSize / resultSize;
  const filterScale = Math.max(scale, 1);
  const support = reach * filterScale;
  const stride = Math.min(Math.ceil(support) * 2 + 1, sourceSize);
  const weights = new Int32Array(wanted * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < wanted; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), sourceSize) - low;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      exact[k] = weightAt(Math.abs((k + low - centre + 0.5) * (1 / filterScale)));
      sum += exact[k]!;
    }
    for (let k = 0; k < taps; k++) {
      const weight = (exact[k]! / sum) * (1 << PRECISION_BITS);
      weights[i * stride + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[i] = low;
    count[i] = taps;
  }
  return { first, count, weights, stride };
}

/**
 * `ImagingResampleHorizontal_8bpc`, for the rows that the vertical pass will read.
 * Math.imul and |0 keep sums int32, as in C; JavaScript's own products would fall back to float64. Colours
 * go three at a time, which halves the time of the one loop that matters in preprocessing.
 */
function resizeRows(data: Uint8Array, width: number, channels: number, taps: Taps, vertical: Taps) {
  const { first, count, weights, stride } = taps;
  const firstRow = vertical.first[0]!;
  const lastRow = vertical.first.at(-1)! + vertical.count.at(-1)!;
  const rows = new Uint8ClampedArray((lastRow - firstRow) * first.length * channels);
  const rowLength = first.length * channels;
  for (let y = firstRow; y < lastRow; y += 2) {
    // Two rows share their weights; a last one by itself is its own neighbour.
    const below = y + 1 < lastRow ? width * channels : 0;
    const outBelow = below > 0 ? rowLength : 0;
    for (let x = 0, out = (y - firstRow) * rowLength; x < first.length; x++, out += channels) {
      const base = (y * width + first[x]!) * channels;
      const begin = x * stride;
      const end = begin + count[x]!;
      if (channels >= 3) {
        let [red, green, blue, redBelow, greenBelow, blueBelow] = [ROUND, ROUND, ROUND, ROUND, ROUND, ROUND];
        for (let k = begin, p = base; k < end; k++, p += channels) {
          const weight = weights[k]!;
          const q = p + below;
          red = (red + Math.imul(data[p]!, weight)) | 0;
          green = (green + Math.imul(data[p + 1]!, weight)) | 0;
          blue = (blue + Math.imul(data[p + 2]!, weight)) | 0;
          redBelow = (redBelow + Math.imul(data[q]!, weight)) | 0;
          greenBelow = (greenBelow + Math.imul(data[q + 1]!, weight)) | 0;
          blueBelow = (blueBelow + Math.imul(data[q + 2]!, weight)) | 0;
        }
        rows[out] = red >> PRECISION_BITS;
        rows[out + 1] = green >> PRECISION_BITS;
        rows[out + 2] = blue >> PRECISION_BITS;
        rows[out + outBelow] = redBelow >> PRECISION_BITS;
        rows[out + outBelow + 1] = greenBelow >> PRECISION_BITS;
        rows[out + outBelow + 2] = blueBelow >> PRECISION_BITS;
      }
      if (channels !== 3) {
        const last = channels - 1;
        let [sum, sumBelow] = [ROUND, ROUND];
        for (let k = begin, p = base + last; k < end; k++, p += channels) {
          sum = (sum + Math.imul(data[p]!, weights[k]!)) | 0;
          sumBelow = (sumBelow + Math.imul(data[p + below]!, weights[k]!)) | 0;
        }
        rows[out + last] = sum >> PRECISION_BITS;
        rows[out + outBelow + last] = sumBelow >> PRECISION_BITS;
      }
    }
  }
  return { rows, firstRow };
}

/** `ImagingResampleVertical_8bpc`; `rowLength` counts samples, so that channels need no care. Four go on side by side. */
function resizeColumns(rows: Uint8ClampedArray, firstRow: number, rowLength: number, taps: Taps) {
  const { first, count, weights, stride } = taps;
  const result = new Uint8ClampedArray(first.length * rowLength);
  for (let y = 0; y < first.length; y++) {
    const begin = y * stride;
    const end = begin + count[y]!;
    const base = (first[y]! - firstRow) * rowLength;
    const fours = rowLength - (rowLength % 4);
    const out = y * rowLength;
    for (let x = 0; x < fours; x += 4) {
      let [a, b, c, d] = [ROUND, ROUND, ROUND, ROUND];
      for (let k = begin, p = base + x; k < end; k++, p += rowLength) {
        const weight = weights[k]!;
        a = (a + Math.imul(rows[p]!, weight)) | 0;
        b = (b + Math.imul(rows[p + 1]!, weight)) | 0;
        c = (c + Math.imul(rows[p + 2]!, weight)) | 0;
        d = (d + Math.imul(rows[p + 3]!, weight)) | 0;
      }
      result[out + x] = a >> PRECISION_BITS;
      result[out + x + 1] = b >> PRECISION_BITS;
      result[out + x + 2] = c >> PRECISION_BITS;
      result[out + x + 3] = d >> PRECISION_BITS;
    }
    for (let x = fours; x < rowLength; x++) {
      let sum = ROUND;
      for (let k = begin, p = base + x; k < end; k++, p += rowLength) {
        sum = (sum + Math.imul(rows[p]!, weights[k]!)) | 0;
      }
      result[out + x] = sum >> PRECISION_BITS;
    }
  }
  return new Uint8Array(result.buffer);
}
