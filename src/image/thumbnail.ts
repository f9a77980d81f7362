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

/** A part of a picture, in shares of its sides. */
interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A square WebP of a part of an image file, upright; without a part, of the largest square in its middle.
 * @returns null when the file cannot be read any more
 */
export async function squareThumbnail(
  source: string | Uint8Array,
  side: number,
  part: Part | null,
): Promise<Uint8Array | null> {
  try {
    return await withDrawable(source, {}, {}, async (image, { width, height }) => {
      if (part) {
        const [left, top] = [Math.floor(part.x * width), Math.floor(part.y * height)];
        image.extract({
          ...{ left, top },
          width: Math.max(1, Math.min(width - left, Math.round(part.width * width))),
          height: Math.max(1, Math.min(height - top, Math.round(part.height * height))),
        });
      }
      const kernel = Math.max(width, height) * 2 <= side ? "nearest" : "lanczos3";
      const square = image.resize(side, side, { fit: part ? "fill" : "cover", kernel });
      return square.flatten({ background: "#ffffff" }).webp({ quality: 80, effort: 4 }).toBuffer();
    });
  } catch {
    return null;
  }
}
