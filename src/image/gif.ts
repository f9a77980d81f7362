import type { Binary } from "../support/binary.ts";
import { type DecodedImage, fromPalette, isGrayRamp, type OpenedImage } from "./pixels.ts";

/** A table of colours, RGB, with its place in the file. */
interface Table {
  readonly colours: Uint8Array;
  readonly end: number;
}

const EXTENSION = 0x21;
const FRAME = 0x2c;
const GRAPHIC_CONTROL = 0xf9;

/**
 * Reads the first frame of a GIF (GIF89a specification), as Pillow opens it: indices on the whole canvas, which starts as
 * the transparent colour where there is one, else as colour 0; transparency is dropped, and a table that is 0…255 gray
 * makes the image gray. Image libraries look colours up and throw the indices away.
 * @throws Error where the file is damaged
 */
export function openGif(file: Binary): OpenedImage {
  const global = readTable(file, 13, file.readUInt8(10));
  let background = 0;
  let at = global.end;
  for (; file.readUInt8(at) === EXTENSION; at = skipBlocks(file, at + 2)) {
    const isTransparent = file.readUInt8(at + 1) === GRAPHIC_CONTROL && (file.readUInt8(at + 3) & 1) === 1;
    if (isTransparent) background = file.readUInt8(at + 6);
  }
  if (file.readUInt8(at) !== FRAME) throw new Error("the GIF holds no frame");
  const [left, top] = [file.readUInt16LE(at + 1), file.readUInt16LE(at + 3)];
  const [frameWidth, frameHeight] = [file.readUInt16LE(at + 5), file.readUInt16LE(at + 7)];
  const flags = file.readUInt8(at + 9);
  const local = readTable(file, at + 10, flags);
  const { colours } = local.end > at + 10 ? local : global;
  // A frame that leaves the canvas makes it larger.
  const width = Math.max(file.readUInt16LE(6), left + frameWidth);
  const height = Math.max(file.readUInt16LE(8), top + frameHeight);
  const decode = (): DecodedImage => {
    const frame = unpackFrame(file, local.end, frameWidth * frameHeight);
    const indices = new Uint8Array(width * height).fill(background);
    const rows = (flags & 0x40) === 0 ? [...Array(frameHeight).keys()] : interlacedRows(frameHeight);
    rows.forEach((y, i) => {
      indices.set(frame.subarray(i * frameWidth, (i + 1) * frameWidth), (top + y) * width + left);
    });
    if (isGrayRamp(colours)) return { mode: "L", width, height, data: indices };
    return fromPalette(width, height, indices, colours);
  };
  return { width, height, decode };
}

/** The table that follows a descriptor whose flags say so. */
function readTable(file: Binary, at: number, flags: number): Table {
  const end = at + ((flags & 0x80) !== 0 ? 3 << ((flags & 7) + 1) : 0);
  return { colours: file.subarray(at, end), end };
}

/** Where the chain of sub-blocks at `at` ends. */
function skipBlocks(file: Binary, at: number): number {
  let end = at;
  for (let length = file.readUInt8(end); length > 0; length = file.readUInt8(end)) end += length + 1;
  return end + 1;
}

/** The order in which an interlaced frame's rows come. */
function interlacedRows(height: number): number[] {
  const rows: number[] = [];
  for (const [start, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ] as const)
    for (let y = start; y < height; y += step) rows.push(y);
  return rows;
}

/**
 * GIF's LZW: codes of growing width, least significant bit first, in sub-blocks. An entry of the dictionary is another
 * entry and one index more. Pixels that come after an early end code stay 0, as with Pillow.
 */
function unpackFrame(file: Binary, at: number, pixels: number): Uint8Array {
  const least = file.readUInt8(at);
  if (least < 1 || least > 8) throw new Error(`the GIF's codes are of ${least} bits`);
  const [clear, end] = [1 << least, (1 << least) + 1];
  const prefix = new Uint16Array(4096);
  const suffix = new Uint8Array(4096);
  const lengths = new Uint16Array(4096);
  for (let code = 0; code < clear; code++) {
    suffix[code] = code;
    lengths[code] = 1;
  }
  const out = new Uint8Array(pixels);
  let [written, next, width, previous] = [0, end + 1, least + 1, -1];
  let [bits, held, block, left] = [0, 0, at + 1, 0];
  while (written < pixels) {
    for (; held < width; held += 8, left--) {
      while (left === 0) {
        left = file.readUInt8(block++);
        if (left === 0) throw new Error("the GIF's frame is cut off");
      }
      bits |= file.readUInt8(block++) << held;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
    if (code === end) break;
    if (code === clear) {
      [next, width, previous] = [end + 1, least + 1, -1];
      continue;
    }
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > end))
      throw new Error("the GIF's frame is damaged");
    // The code that is only now being made is the one before, and its own first index again.
    const known = code < next ? code : previous;
    const length = lengths[known]!;
    let walk = known;
    for (let i = written + length - 1; i >= written; i--, walk = prefix[walk]!)
      if (i < pixels) out[i] = suffix[walk]!;
    const first = out[written]!;
    written += length;
    if (code === next && written < pixels) out[written] = first;
    if (code === next) written++;
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous;
      suffix[next] = first;
      lengths[next] = lengths[previous]! + 1;
      next++;
      if (next === 1 << width && width < 12) width++;
    }
    previous = code;
  }
  return out;
}
