import type { DecodedImage } from "./pixels.ts";
import { type Interpolation, type ResizeWindow, resample } from "./resample.ts";

/**
 * The window of `image.resize((width, height), filter)` as Pillow computes it, bit for bit, in the image's
 * own mode: a port of what `Image.resize` does around {@link resample}. `RGBA` is resized with
 * premultiplied colours unless it has the size already, `P` by nearest neighbour. Since no result pixel
 * depends on another, computing the window alone changes nothing.
 * @returns [windowHeight, windowWidth, channels of the mode]
 */
export function resize(
  image: DecodedImage,
  window: ResizeWindow,
  interpolation: Interpolation = "bicubic",
): Uint8Array<ArrayBuffer> {
  if (image.mode === "P") return resizeNearest(image, window);
  const premultiplied =
    image.mode === "RGBA" && (image.width !== window.width || image.height !== window.height);
  const source = premultiplied ? { ...image, data: premultiply(image.data) } : image;
  const result = resample(source, window, interpolation);
  return premultiplied ? unpremultiply(result) : result;
}

/** Pillow's `NEAREST` (`ImagingScaleAffine`), whose positions are running sums. */
function resizeNearest(image: DecodedImage, window: ResizeWindow): Uint8Array<ArrayBuffer> {
  const columns = nearestPositions(image.width, window.width, window.left, window.windowWidth);
  const rows = nearestPositions(image.height, window.height, window.top, window.windowHeight);
  const result = new Uint8Array(rows.length * columns.length * 3);
  let out = 0;
  for (const y of rows) {
    for (const x of columns) {
      const from = (y * image.width + x) * 3;
      for (let c = 0; c < 3; c++) result[out++] = image.data[from + c]!;
    }
  }
  return result;
}

/** Which sample of a side of `sourceSize` each of `wanted` samples of a side of `resultSize` takes, from `start` on. */
export function nearestPositions(
  sourceSize: number,
  resultSize: number,
  start: number,
  wanted: number,
): Int32Array {
  const step = sourceSize / resultSize;
  const positions = new Int32Array(wanted);
  let position = step * 0.5;
  for (let i = 0; i < start + wanted; i++, position += step) {
    if (i >= start) positions[i - start] = Math.min(Math.trunc(position), sourceSize - 1);
  }
  return positions;
}

/** `rgbA2rgba`: colours times alpha over 255, rounded (`MULDIV255`). */
function premultiply(rgba: Uint8Array): Uint8Array {
  const result = new Uint8Array(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3]!;
    for (let c = i; c < i + 3; c++) {
      const product = rgba[c]! * alpha + 128;
      result[c] = ((product >> 8) + product) >> 8;
    }
    result[i + 3] = alpha;
  }
  return result;
}

/** `rgba2rgbA`: the way back, in place, rounded down and clipped. */
function unpremultiply(rgba: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let c = i; c < i + 3; c++) rgba[c] = Math.min(Math.trunc((255 * rgba[c]!) / alpha), 255);
  }
  return rgba;
}
