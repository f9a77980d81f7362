import type { Binary } from "../support/binary.ts";

/** The tags of a TIFF's first image that decide how it is read. */
export const TIFF_TAGS = { compression: 259, photometric: 262, orientation: 274 } as const;

/** Values of `photometric`. */
export const PALETTE_COLOURS = 3;
export const YCBCR = 6;
/** Values of `compression` under which libtiff makes RGB of YCbCr. */
export const JPEG_IN_TIFF: readonly number[] = [6, 7];

/**
 * Reads tags of a TIFF's first image that are one small number (TIFF 6.0 §2), which image libraries keep to themselves.
 * @returns undefined for a tag that is not there, or where the file is a BigTIFF
 * @throws RangeError where the file is cut off
 */
export function readTiffTag(file: Binary, tag: number): number | undefined {
  const little = file[0] === 0x49;
  const short = (at: number) => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const long = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (short(2) !== 42) return undefined;
  const directory = long(4);
  for (let i = 0; i < short(directory); i++) {
    const entry = directory + 2 + 12 * i;
    // A short or a long, in the entry itself.
    if (short(entry) === tag) return short(entry + 2) === 3 ? short(entry + 8) : long(entry + 8);
  }
  return undefined;
}
