import { inflateSync } from "node:zlib";

/** A PNG of indexed colours: its indices, which image libraries look up and throw away. */
export interface IndexedPng {
  readonly width: number;
  readonly height: number;
  /** One index a pixel, row by row. */
  readonly indices: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const INDEXED = 3;

/**
 * Reads the indices of a palette PNG (PNG specification, §9 filters; colour type 3), as Pascal VOC's masks are stored.
 * @returns null for anything else: another format or colour type, or interlaced
 * @throws Error when the file is damaged
 */
export function readIndexedPng(bytes: Uint8Array): IndexedPng | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 33 || !file.subarray(0, 8).equals(SIGNATURE)) return null;
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth, colourType, , , interlaced] = file.subarray(24, 29);
  if (colourType !== INDEXED || interlaced !== 0) return null;
  const stride = Math.ceil((width * depth) / 8);
  const data: Buffer[] = [];
  for (let at = 8; at + 8 <= file.length; at += 12 + file.readUInt32BE(at)) {
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") {
      data.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
    }
  }
  const raw = inflateSync(Buffer.concat(data), { maxOutputLength: (stride + 1) * height });
  if (raw.length !== (stride + 1) * height) throw new Error("the PNG's data is cut off");
  const indices = new Uint8Array(width * height);
  let above: Uint8Array = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = unfilter(
      raw[y * (stride + 1)],
      raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)),
      above,
    );
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      indices[y * width + x] = (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
    above = row;
  }
  return { width, height, indices };
}

/** Undoes one row's filter; a pixel takes one byte or less, so the byte before is the pixel before. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array): Uint8Array {
  const result = new Uint8Array(row.length);
  for (let i = 0; i < row.length; i++) {
    const [left, up, corner] = [i > 0 ? result[i - 1] : 0, above[i], i > 0 ? above[i - 1] : 0];
    result[i] = row[i] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
  }
  return result;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
