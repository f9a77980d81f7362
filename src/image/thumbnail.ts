import { withDrawable } from "./drawable.ts";

/** A small PNG of an image file. */
export interface Thumbnail {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * A picture of an image file that fits a square of `side` pixels, upright. Small pictures are not enlarged.
 * @returns null when the file cannot be read any more
 * @example
 * ```ts
 * import { thumbnail } from "clip-interpret/views";
 *
 * const small = await thumbnail("examples/scenes/images/0067-monkey.png", 100);
 * console.log(small?.width, small?.height); // → 100 100
 * ```
 */
export async function thumbnail(source: string | Uint8Array, side: number): Promise<Thumbnail | null> {
  try {
    return await withDrawable(source, {}, {}, async (image) => {
      const small = image.resize(side, side, { fit: "inside", withoutEnlargement: true });
      const png = small.flatten({ background: "#ffffff" }).png();
      const { data, info } = await png.toBuffer({ resolveWithObject: true });
      return { png: data, width: info.width, height: info.height };
    });
  } catch {
    return null;
  }
}
