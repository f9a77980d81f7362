import sharp from "sharp";
import { ClipInterpretError } from "../support/errors.ts";
import { readInput } from "../support/files.ts";
import { whyUnreadable } from "./checked.ts";
import { decodeImage, isReadHere, readImageSize } from "./decode.ts";
import { readIndexedPng } from "./indexed-png.ts";
import { toRgb } from "./pixels.ts";
import { nearestPositions } from "./resize.ts";
import { resizeWindow } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";

/** One number a pixel, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/**
 * Reads a mask: a gray image of eight bits or less, a palette PNG (whose indices count, not its colours), or a colour
 * image that is gray.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `MASKS_INVALID` for colours or deeper samples
 */
export async function readMask(path: string): Promise<Mask> {
  const bytes = await readInput(path);
  const invalid = (why: string) => new ClipInterpretError("MASKS_INVALID", `${path} ${why}`);
  try {
    await readImageSize(bytes, { name: path });
    const indexed = readIndexedPng(bytes);
    if (indexed) return { width: indexed.width, height: indexed.height, values: indexed.indices };
    const depth = isReadHere(bytes) ? "uchar" : (await sharp(bytes).metadata()).depth;
    if (depth !== "uchar") throw invalid(`has samples of type ${depth}; a mask has eight bits a pixel`);
    const { mode, data, width, height } = await decodeImage(bytes, { name: path, exif: false });
    const rgb = toRgb(mode, data);
    const values = new Uint8Array(width * height);
    for (let i = 0; i < values.length; i++) {
      values[i] = rgb[3 * i];
      if (rgb[3 * i + 1] !== values[i] || rgb[3 * i + 2] !== values[i])
        throw invalid("is coloured; a mask has one number a pixel");
    }
    return { width, height, values };
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    throw new ClipInterpretError("IMAGE_UNREADABLE", `cannot decode ${path}: ${whyUnreadable(cause)}`, {
      cause,
    });
  }
}

/**
 * The part of a mask that the model is shown of its image, at the size at which it reads it: as `preprocess` cuts it,
 * by nearest neighbour, as Pillow and the reference resize masks. [size, size]; −1 where the picture was padded
 */
export function cropMask({ width, height, values }: Mask, config: PreprocessConfig): Int16Array {
  const { size } = config;
  const window = resizeWindow(width, height, config);
  const columns = positions(width, window.width, window.left, size);
  const rows = positions(height, window.height, window.top, size);
  const cropped = new Int16Array(size ** 2);
  let at = 0;
  for (const y of rows) for (const x of columns) cropped[at++] = x < 0 || y < 0 ? -1 : values[y * width + x];
  return cropped;
}

/** Which sample of a side each of `wanted` takes, from `start` on; −1 for those beside the picture. */
function positions(sourceSize: number, resultSize: number, start: number, wanted: number): Int32Array {
  const first = Math.max(start, 0);
  const inside = nearestPositions(
    sourceSize,
    resultSize,
    first,
    Math.min(start + wanted, resultSize) - first,
  );
  const all = new Int32Array(wanted).fill(-1);
  all.set(inside, first - start);
  return all;
}
