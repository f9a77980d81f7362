import sharp, { type Sharp, type SharpOptions } from "sharp";
import { readInput } from "../support/files.ts";
import { withPixels } from "./budget.ts";
import { sourceName } from "./checked.ts";
import { isReadHere, readImageSize, withDecoded } from "./decode.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { toRgb } from "./pixels.ts";

/** A picture's size in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Does something with a picture as sharp takes it, to draw it: a file of its own formats, else the pixels that a model is
 * shown. Its pixels count among those that are decoded at a time until it is done.
 * @throws as `decodeImage`, but for damage that sharp finds when it draws
 */
export async function withDrawable<T>(
  source: string | Uint8Array,
  { exif = true, ...options }: DecodeOptions,
  sharpOptions: SharpOptions,
  use: (image: Sharp, size: Size) => Promise<T>,
): Promise<T> {
  const file = typeof source === "string" ? await readInput(source) : source;
  const decoding = { ...options, exif, name: options.name ?? sourceName(source) };
  const { width, height } = await readImageSize(file, decoding);
  if (!isReadHere(file)) {
    const image = sharp(file, { ...sharpOptions, limitInputPixels: false, autoOrient: exif });
    return withPixels(width * height, () => use(image, { width, height }));
  }
  return withDecoded(file, decoding, ({ mode, data }) => {
    const channels = mode === "RGBA" ? 4 : 3;
    const pixels = mode === "RGBA" ? data : toRgb(mode, data);
    return use(sharp(pixels, { raw: { width, height, channels } }), { width, height });
  });
}
