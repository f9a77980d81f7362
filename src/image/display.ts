import sharp from "sharp";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { type DecodeOptions, sourceName } from "./decode.ts";

/** 8-bit RGB pixels to draw on: [height, width, 3]. */
export interface RgbPicture {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * An image file at the size in which it is shown, upright or as it is stored. Colours are those under any
 * transparency, as the model sees them. Enlarged pixels stay squares.
 * @throws `IMAGE_UNREADABLE`, and what reading a file throws
 * @example
 * ```ts
 * import { displayPicture } from "clip-interpret/views";
 *
 * const { rgb } = await displayPicture("examples/scenes/images/0067-monkey.png", 100, 100);
 * console.log(rgb.length === 100 * 100 * 3); // → true
 * ```
 */
export async function displayPicture(
  source: string | Uint8Array,
  width: number,
  height: number,
  { exif = true, maxPixels, name = sourceName(source) }: DecodeOptions = {},
): Promise<RgbPicture> {
  try {
    const image = sharp(source, { ignoreIcc: true, limitInputPixels: maxPixels ?? false, autoOrient: exif });
    const data = await image
      .removeAlpha()
      .toColourspace("srgb")
      .resize(width, height, { fit: "fill", kernel: await kernelFor(source, width, height) })
      .raw()
      .toBuffer();
    return { rgb: data, width, height };
  } catch (cause) {
    throw new ClipInterpretError("IMAGE_UNREADABLE", `cannot decode ${name}: ${messageOf(cause)}`, { cause });
  }
}

/** Squares where the picture grows to twice its size or more, else smooth. */
async function kernelFor(source: string | Uint8Array, width: number, height: number) {
  const size = await sharp(source, { limitInputPixels: false }).metadata();
  return width * height >= 4 * size.width * size.height ? ("nearest" as const) : ("lanczos3" as const);
}
