import sharp from "sharp";

/** A small PNG of an image file. */
export interface Thumbnail {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * A picture of an image file that fits a square of `side` pixels, upright. Small pictures are not enlarged.
 * @returns null when the file cannot be read any more
 */
export async function thumbnail(source: string | Uint8Array, side: number): Promise<Thumbnail | null> {
  try {
    const small = sharp(source, { limitInputPixels: 1e8, autoOrient: true }).resize(side, side, {
      fit: "inside",
      withoutEnlargement: true,
    });
    const { data, info } = await small
      .flatten({ background: "#ffffff" })
      .png()
      .toBuffer({ resolveWithObject: true });
    return { png: data, width: info.width, height: info.height };
  } catch {
    return null;
  }
}
