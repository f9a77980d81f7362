import type { Binary } from "../support/binary.ts";
import { CHANNELS, type DecodedImage } from "./pixels.ts";
import { readTiffTag, TIFF_TAGS } from "./tiff-tags.ts";

/** How EXIF data, which is a TIFF, says that a picture lies: 1 (upright) to 8; undefined where it does not. */
export function orientationIn(exif: Binary): number | undefined {
  const value = readTiffTag(exif, TIFF_TAGS.orientation);
  return value !== undefined && value >= 1 && value <= 8 ? value : undefined;
}

/** True where upright sides are those of the file the other way round. */
export const isSideways = (orientation: number): boolean => orientation > 4;

/** A picture turned upright. @param orientation as EXIF has it, 1 to 8 */
export function turnUpright(image: DecodedImage, orientation: number): DecodedImage {
  if (orientation === 1) return image;
  const { width, height, mode, data } = image;
  const channels = CHANNELS[mode];
  const [columns, rows] = isSideways(orientation) ? [height, width] : [width, height];
  const turned = new Uint8Array(data.length);
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  for (let y = 0, out = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [along, down] = isSideways(orientation) ? [y, x] : [x, y];
      const column = fromRight ? width - 1 - along : along;
      const row = fromBelow ? height - 1 - down : down;
      const from = (row * width + column) * channels;
      for (let c = 0; c < channels; c++) turned[out++] = data[from + c]!;
    }
  }
  return { ...image, width: columns, height: rows, data: turned };
}
