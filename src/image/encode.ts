import sharp from "sharp";

/**
 * A PNG of 8-bit RGB pixels, [height, width, 3].
 *
 * @example
 * ```ts
 * import { displayPicture, encodePng } from "clip-interpret/views";
 *
 * const { rgb, width, height } = await displayPicture("examples/scenes/images/0067-monkey.png", 100, 100);
 * console.log(Buffer.from(await encodePng(rgb, width, height)).toString("latin1", 1, 4)); // → PNG
 * ```
 */
export function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
