import { ClipInterpretError } from "../support/errors.ts";
import { sourceName, whyUnreadable } from "./checked.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { withDrawable } from "./drawable.ts";

/** 8-bit RGB pixels to draw on: [height, width, 3]. */
export interface RgbPicture {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * An image file at the size in which it is shown, upright or as it is stored. Colours are those under any
 * transparency, as the model sees them. Enlarged pixels stay squares.
 * @throws `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`, and what reading a file throws
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
  options: DecodeOptions = {},
): Promise<RgbPicture> {
  try {
    const rgb = await withDrawable(
      source,
      { maxPixels: Number.POSITIVE_INFINITY, ...options },
      { ignoreIcc: true },
      (image, size) => {
        // Squares where the picture grows to twice its size or more, else smooth.
        const kernel = width * height >= 4 * size.width * size.height ? "nearest" : "lanczos3";
        const shown = image
          .removeAlpha()
          .toColourspace("srgb")
          .resize(width, height, { fit: "fill", kernel });
        return shown.raw().toBuffer();
      },
    );
    return { rgb, width, height };
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    const name = options.name ?? sourceName(source);
    throw new ClipInterpretError("IMAGE_UNREADABLE", `cannot decode ${name}: ${whyUnreadable(cause)}`, {
      cause,
    });
  }
}
