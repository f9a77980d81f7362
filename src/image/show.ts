import { roundHalfEven } from "../math/round.ts";
import { CHANNELS, type DecodedImage, toRgb } from "./pixels.ts";
import type { ResizeWindow } from "./resample.ts";
import { resize } from "./resize.ts";
import type { PreprocessConfig } from "./types.ts";

/** A rectangle in pixels of an image; fractions allowed. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What the model is shown of one image. */
export interface Preprocessed {
  /** [size, size, 3], 0–255. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  /** Size of the original, upright as it was decoded. */
  readonly width: number;
  readonly height: number;
  /** The part of the original that `rgb` shows, in the original's pixels. */
  readonly placement: Rectangle;
  /** Length and SHA-256 (hex) of the file's bytes, taken while they are in memory. */
  readonly bytes: number;
  readonly sha256: string;
}

/** What of a decoded picture the model is shown. */
export function showImage(
  image: DecodedImage,
  config: PreprocessConfig,
): Omit<Preprocessed, "bytes" | "sha256"> {
  const { width, height } = image;
  const window = resizeWindow(width, height, config);
  const scaleX = width / window.width;
  const scaleY = height / window.height;
  return {
    rgb: cutSquare(image, window, config),
    width,
    height,
    placement: {
      x: window.left * scaleX,
      y: window.top * scaleY,
      width: config.size * scaleX,
      height: config.size * scaleY,
    },
  };
}

/** The square of `window`, whose parts beside the resized picture are filled, as RGB. */
function cutSquare(
  decoded: DecodedImage,
  window: ResizeWindow,
  { order, interpolation, fill = 0 }: PreprocessConfig,
): Uint8Array<ArrayBuffer> {
  const image =
    order === "transformers"
      ? { ...decoded, mode: "RGB" as const, data: toRgb(decoded.mode, decoded.data) }
      : decoded;
  const [left, top] = [Math.max(window.left, 0), Math.max(window.top, 0)];
  const windowWidth = Math.min(window.left + window.windowWidth, window.width) - left;
  const windowHeight = Math.min(window.top + window.windowHeight, window.height) - top;
  const part = toRgb(
    image.mode,
    resize(image, { ...window, left, top, windowWidth, windowHeight }, interpolation),
  );
  if (windowWidth === window.windowWidth && windowHeight === window.windowHeight) return part;
  // Pillow pads in the image's own mode: the same number in every channel, which is ink in CMYK.
  const beside = toRgb(image.mode, new Uint8Array(CHANNELS[image.mode]).fill(fill));
  const square = new Uint8Array(window.windowWidth * window.windowHeight * 3);
  for (let i = 0; i < square.length; i++) square[i] = beside[i % 3]!;
  for (let y = 0; y < windowHeight; y++) {
    const row = part.subarray(y * windowWidth * 3, (y + 1) * windowWidth * 3);
    square.set(row, ((y + top - window.top) * window.windowWidth + left - window.left) * 3);
  }
  return square;
}

/**
 * The size an image is resized to and the square that is cut from it, which may begin before the picture or end behind
 * it. Sides are torchvision's `_compute_resized_output_size` (longer side rounded down), or timm's and OpenCLIP's
 * `ResizeKeepRatio` for `longest`; margins are torchvision's `center_crop` (Python's `round`), or transformers' (rounded
 * down).
 */
export function resizeWindow(
  width: number,
  height: number,
  config: Pick<PreprocessConfig, "size" | "resizeMode" | "resizeTo" | "order">,
): ResizeWindow {
  const { size, order } = config;
  const resized = resizedSides(width, height, config);
  // What is too small is padded, the greater half behind it; transformers' greater half stands before it.
  const margin = (side: number) =>
    order === "transformers"
      ? Math.floor((side - size) / 2)
      : side < size
        ? -Math.floor((size - side) / 2)
        : roundHalfEven((side - size) / 2);
  return {
    ...resized,
    left: margin(resized.width),
    top: margin(resized.height),
    windowWidth: size,
    windowHeight: size,
  };
}

function resizedSides(
  width: number,
  height: number,
  { size, resizeMode, resizeTo = size }: Pick<PreprocessConfig, "size" | "resizeMode" | "resizeTo">,
): { width: number; height: number } {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  switch (resizeMode) {
    case "none":
      return { width, height };
    case "squash":
      return { width: resizeTo, height: resizeTo };
    case "shortest": {
      const other = Math.trunc((resizeTo * longer) / shorter);
      return width <= height ? { width: resizeTo, height: other } : { width: other, height: resizeTo };
    }
    case "longest": {
      // Pillow has no picture of no height; ours is one pixel high.
      const scaled = (side: number) => Math.max(roundHalfEven(side / (longer / resizeTo)), 1);
      return { width: scaled(width), height: scaled(height) };
    }
  }
}

/**
 * Writes `rgb` [size, size, 3] as planar float32 [3, size, size] into `target` at `offset`: `ToTensor` and
 * `Normalize` of torchvision, each step rounded to float32 as there: ((x / 255) − mean) / std.
 */
export function normalize(
  rgb: Uint8Array,
  config: Pick<PreprocessConfig, "mean" | "std">,
  target: Float32Array,
  offset = 0,
): void {
  const pixels = rgb.length / 3;
  const table = new Float32Array(256);
  for (let c = 0; c < 3; c++) {
    const mean = Math.fround(config.mean[c]!);
    const std = Math.fround(config.std[c]!);
    for (let x = 0; x < 256; x++) table[x] = Math.fround(Math.fround(x / 255) - mean) / std;
    for (let i = 0, p = c; i < pixels; i++, p += 3) target[offset + c * pixels + i] = table[rgb[p]!]!;
  }
}
