import sharp from "sharp";

/** A PNG of 8-bit RGB pixels, [height, width, 3]. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
