import { readInput } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { ResizeWindow } from "./bicubic.ts";
import { type DecodedImage, type DecodeOptions, decodeImage, sourceName } from "./decode.ts";
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

/**
 * Decodes, resizes and crops an image exactly as OpenCLIP's evaluation transform does with torchvision on
 * Pillow: resize in the image's own mode, centre crop, then RGB.
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`
 */
export async function preprocess(
  source: string | Uint8Array,
  config: PreprocessConfig,
  options: DecodeOptions = {},
): Promise<Preprocessed> {
  const file = typeof source === "string" ? await readInput(source) : source;
  const image = await decodeImage(file, { name: sourceName(source), ...options });
  const window = resizeWindow(image.width, image.height, config);
  const scaleX = image.width / window.width;
  const scaleY = image.height / window.height;
  return {
    rgb: toRgb(image.mode, resize(image, window)),
    width: image.width,
    height: image.height,
    placement: {
      x: window.left * scaleX,
      y: window.top * scaleY,
      width: config.size * scaleX,
      height: config.size * scaleY,
    },
    bytes: file.length,
    sha256: sha256Of(file),
  };
}

/**
 * The size an image is resized to and the square that is cut from it: torchvision's
 * `_compute_resized_output_size` (longer side rounded down) and `center_crop` (Python's `round`).
 */
export function resizeWindow(
  width: number,
  height: number,
  { size, resizeMode }: Pick<PreprocessConfig, "size" | "resizeMode">,
): ResizeWindow {
  const square = { windowWidth: size, windowHeight: size };
  if (resizeMode === "squash") return { width: size, height: size, left: 0, top: 0, ...square };
  const longer = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  const resized = width <= height ? { width: size, height: longer } : { width: longer, height: size };
  return {
    ...resized,
    left: roundHalfEven((resized.width - size) / 2),
    top: roundHalfEven((resized.height - size) / 2),
    ...square,
  };
}

/** Python's `round`: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Pillow's `convert("RGB")`: gray is repeated, alpha dropped, CMYK as `cmyk2rgb` (no colour profile). */
function toRgb(mode: DecodedImage["mode"], data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (mode === "RGB" || mode === "P") return data;
  const channels = mode === "L" ? 1 : 4;
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, out = 0; i < data.length; i += channels) {
    for (let c = 0; c < 3; c++)
      rgb[out++] = mode === "CMYK" ? inkToLight(data, i, c) : data[i + (c % channels)]!;
  }
  return rgb;
}

/** (255 − ink)·(255 − black)/255 in Pillow's rounding: 255 − k − MULDIV255(ink, 255 − k). */
function inkToLight(data: Uint8Array, pixel: number, channel: number): number {
  const light = 255 - data[pixel + 3]!;
  const product = data[pixel + channel]! * light + 128;
  return Math.max(light - (((product >> 8) + product) >> 8), 0);
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
