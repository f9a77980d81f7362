import { decodeImage } from "../image/decode.ts";
import { displayPicture } from "../image/display.ts";
import { encodePng } from "../image/encode.ts";
import { thumbnail } from "../image/thumbnail.ts";
import { ClipInterpretError } from "../support/errors.ts";

/** What messages call a picture that a client sent or asked for. */
const NAME = "the picture";

/** A picture within a square, or exactly as large as is asked. */
export type Size = { readonly side: number } | { readonly width: number; readonly height: number };

/** A file, and how many pixels it may have. */
export interface PictureFile {
  readonly bytes: Uint8Array;
  readonly maxPixels: number;
}

/** Sees that a file is a picture, to its last byte. @throws what decoding throws */
export async function checkPicture({ bytes, maxPixels }: PictureFile): Promise<void> {
  const { width } = await decodeImage(bytes, { maxPixels, name: NAME });
  if (width < 1) throw new ClipInterpretError("IMAGE_UNREADABLE", "the picture has no pixels");
}

/** A PNG of a picture, upright. @throws what decoding throws */
export async function drawPicture({ bytes, maxPixels, size }: PictureFile & { size: Size }) {
  if ("side" in size) {
    const small = await thumbnail(bytes, size.side);
    if (!small) throw new ClipInterpretError("IMAGE_UNREADABLE", "the picture cannot be decoded");
    return small.png;
  }
  const { width, height } = size;
  const { rgb } = await displayPicture(bytes, width, height, { maxPixels, name: NAME });
  return encodePng(rgb, width, height);
}
