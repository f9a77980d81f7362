import type { Binary } from "../support/binary.ts";
import { type DecodedImage, fromPalette, isGrayRamp, type OpenedImage } from "./pixels.ts";

const RAW = 0;
const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;

/** What the header says. */
interface Header {
  readonly width: number;
  readonly height: number;
  /** The first row stored is the top one. */
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Masks of red, green, blue and alpha in a pixel of 16, 24 or 32 bits. */
  readonly masks: readonly [number, number, number, number];
  /** RGB, three bytes a colour. */
  readonly palette: Uint8Array;
  /** Where the pixels lie. */
  readonly start: number;
}

/**
 * Reads a Windows or OS/2 bitmap of 1, 4, 8, 16, 24 or 32 bits, RLE included, in the mode in which Pillow opens it: a
 * palette that is a gray ramp makes it gray; 32 bits have alpha only where a mask says so.
 * @throws Error where the file is damaged, or of a kind that hardly exists (JPEG or PNG in a BMP)
 */
export function openBmp(file: Binary): OpenedImage {
  const header = readHeader(file);
  const { width, height } = header;
  return { width, height, decode: () => decodeBmp(file, header) };
}

function readHeader(file: Binary): Header {
  const size = file.readUInt32LE(14);
  if (![12, 40, 52, 56, 64, 108, 124].includes(size)) throw new Error(`its header is of ${size} bytes`);
  const old = size === 12;
  const rows = old ? file.readUInt16LE(20) : file.readInt32LE(22);
  const width = old ? file.readUInt16LE(18) : file.readInt32LE(18);
  if (width < 1 || rows === 0) throw new Error("the picture has no pixels");
  const bits = file.readUInt16LE(old ? 24 : 28);
  const compression = old ? RAW : file.readUInt32LE(30);
  if (![1, 4, 8, 16, 24, 32].includes(bits))
    throw new Error(`BMPs of ${bits} bits a pixel are not supported`);
  const fits =
    compression === RAW || { [RLE8]: bits === 8, [RLE4]: bits === 4, [BITFIELDS]: bits >= 16 }[compression];
  if (!fits) throw new Error(`compression ${compression} of ${bits} bits a pixel is not supported`);
  // Masks follow the shortest header, and are part of the longer ones.
  const masked = compression === BITFIELDS;
  const table = 14 + size + (masked && size === 40 ? 12 : 0);
  const colours = bits > 8 ? 0 : (old ? 0 : file.readUInt32LE(46)) || 1 << bits;
  if (colours > 65536) throw new Error(`its palette has ${colours} colours`);
  const wide = old ? 3 : 4;
  const palette = new Uint8Array(colours * 3);
  for (let i = 0; i < palette.length; i++)
    palette[i] = file.readUInt8(table + Math.trunc(i / 3) * wide + 2 - (i % 3));
  const masks = masked ? readMasks(file, size) : USUAL_MASKS[bits === 16 ? 16 : 32];
  return {
    ...{ width, height: Math.abs(rows), topDown: rows < 0, bits, compression, palette, masks },
    start: file.readUInt32LE(10) || table + colours * wide,
  };
}

type Masks = Header["masks"];
const USUAL_MASKS: Record<16 | 32, Masks> = { 16: [0x7c00, 0x3e0, 0x1f, 0], 32: [0xff0000, 0xff00, 0xff, 0] };

/** Pillow takes masks that are all 0 for blue, green, red and alpha. */
function readMasks(file: Binary, headerSize: number): Masks {
  const mask = (channel: number) => file.readUInt32LE(54 + 4 * channel);
  const masks = [mask(0), mask(1), mask(2), headerSize >= 56 ? mask(3) : 0] as const;
  return masks.every((bits) => bits === 0) ? [0xff0000, 0xff00, 0xff, 0xff000000] : masks;
}

function decodeBmp(file: Binary, header: Header): DecodedImage {
  const { width, height, bits, palette, compression } = header;
  if (bits > 8) return decodeColours(file, header);
  const packed = compression === RLE8 || compression === RLE4;
  const indices = packed ? unpackRuns(file, header) : readIndices(file, header);
  // Two colours, black and white, are Pillow's 1-bit mode, which is resized as palettes are.
  if (palette.length > 6 && isGrayRamp(palette)) return { mode: "L", width, height, data: indices };
  return fromPalette(width, height, indices, palette);
}

/** Where each row of the picture begins, from its top on. */
function rowStart({ width, height, bits, topDown, start }: Header, y: number): number {
  const stride = Math.ceil((width * bits) / 32) * 4;
  return start + (topDown ? y : height - 1 - y) * stride;
}

function readIndices(file: Binary, header: Header): Uint8Array {
  const { width, height, bits } = header;
  const indices = new Uint8Array(width * height);
  for (let y = 0, out = 0; y < height; y++) {
    const start = rowStart(header, y);
    requireBytes(file, start + Math.ceil((width * bits) / 8));
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      indices[out++] = (file[start + (bit >> 3)]! >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
    }
  }
  return indices;
}

function decodeColours(file: Binary, header: Header): DecodedImage {
  const { width, height, bits, masks } = header;
  const bytes = bits / 8;
  const alpha = masks[3] !== 0;
  const fields = masks.slice(0, alpha ? 4 : 3).map(fieldOf);
  const data = new Uint8Array(width * height * fields.length);
  for (let y = 0, out = 0; y < height; y++) {
    const start = rowStart(header, y);
    requireBytes(file, start + width * bytes);
    for (let x = 0; x < width; x++) {
      const pixel = file.readUIntLE(start + x * bytes, bytes);
      for (const { shift, most } of fields)
        data[out++] = most === 0 ? 0 : Math.trunc((((pixel >>> shift) & most) * 255) / most);
    }
  }
  return { mode: alpha ? "RGBA" : "RGB", width, height, data };
}

/** Where a mask's bits begin, and the number that they reach. */
function fieldOf(mask: number): { shift: number; most: number } {
  if (mask === 0) return { shift: 0, most: 0 };
  const shift = 31 - Math.clz32(mask & -mask);
  return { shift, most: mask >>> shift };
}

/** Runs of indices; what they leave out has index 0. */
function unpackRuns(file: Binary, { width, height, start, compression, topDown }: Header): Uint8Array {
  const indices = new Uint8Array(width * height);
  const half = compression === RLE4;
  let [x, y, at] = [0, 0, start];
  const put = (index: number) => {
    if (x < width && y < height) indices[(topDown ? y : height - 1 - y) * width + x] = index;
    x++;
  };
  // Two indices a byte, the high half first.
  const indexOf = (byte: number, i: number) => (half ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  while (y < height) {
    requireBytes(file, at + 2);
    const [count, value] = [file[at++]!, file[at++]!];
    if (count > 0) for (let i = 0; i < count; i++) put(indexOf(value, i));
    else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) break;
    else if (value === 2) {
      requireBytes(file, at + 2);
      [x, y] = [x + file[at++]!, y + file[at++]!];
    } else {
      const bytes = half ? Math.ceil(value / 2) : value;
      requireBytes(file, at + bytes);
      for (let i = 0; i < value; i++) put(indexOf(file[at + (half ? i >> 1 : i)]!, i));
      at += bytes + (bytes % 2);
    }
  }
  return indices;
}

function requireBytes(file: Binary, end: number): void {
  if (file.length < end) throw new Error("the file is cut off");
}
