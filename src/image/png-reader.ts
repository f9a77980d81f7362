import type { Binary } from "../support/binary.ts";
import { isDark } from "./checked.ts";
import { orientationIn } from "./orientation.ts";
import { type DecodedImage, fromPalette, type ImageMode, type OpenedImage } from "./pixels.ts";

/** PNG's colour types. */
const GRAY = 0;
const COLOUR = 2;
const INDEXED = 3;
const GRAY_ALPHA = 4;
const COLOUR_ALPHA = 6;

/** Samples of a pixel in the file, and the depths that are allowed. */
const KINDS: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  [GRAY]: { samples: 1, depths: [1, 2, 4, 8, 16] },
  [COLOUR]: { samples: 3, depths: [8, 16] },
  [INDEXED]: { samples: 1, depths: [1, 2, 4, 8] },
  [GRAY_ALPHA]: { samples: 2, depths: [8, 16] },
  [COLOUR_ALPHA]: { samples: 4, depths: [8, 16] },
};

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly samples: number;
  readonly interlaced: boolean;
}

/**
 * Reads a PNG as Pillow opens it, without its colour profile and with colours as they are under transparency: what no
 * browser's own decoder promises. Samples of 16 bits keep their high byte.
 * @throws Error where the file is damaged
 */
export function openPng(file: Binary): OpenedImage & { readonly orientation: number } {
  const header = readHeader(file);
  const chunks = readChunks(file);
  return {
    width: header.width,
    height: header.height,
    orientation: chunks.exif ? (orientationIn(chunks.exif) ?? 1) : 1,
    decode: async () => {
      const passes = header.interlaced ? ADAM7 : [WHOLE];
      const sizes = passes.map((pass) => sizeOf(pass, header));
      const bytes = sizes.reduce(
        (sum, { rows, rowBytes }) => sum + (rowBytes > 0 ? rows * (rowBytes + 1) : 0),
        0,
      );
      const raw = await inflate(chunks.data, bytes);
      const samples = new Uint8Array(header.width * header.height * header.samples);
      let at = 0;
      for (const [i, pass] of passes.entries()) {
        const { columns, rows, rowBytes } = sizes[i]!;
        if (rowBytes === 0) continue;
        const lines = raw.subarray(at, at + rows * (rowBytes + 1));
        at += lines.length;
        unfilter(lines, rowBytes, Math.max(1, (header.samples * header.depth) >> 3));
        spread(lines, samples, pass, { columns, rows, rowBytes }, header);
      }
      return imageOf(samples, header, chunks.palette);
    },
  };
}

function readHeader(file: Binary): Header {
  if (file.latin1(12, 16) !== "IHDR") throw new Error("the PNG does not begin with its header");
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth, colour, , , interlace] = Array.from({ length: 5 }, (_, i) => file.readUInt8(24 + i));
  const kind = KINDS[colour!];
  if (!kind?.depths.includes(depth!) || interlace! > 1) throw new Error("the PNG's header is damaged");
  return {
    width,
    height,
    depth: depth!,
    colour: colour!,
    samples: kind.samples,
    interlaced: interlace === 1,
  };
}

function readChunks(file: Binary) {
  const data: Uint8Array<ArrayBuffer>[] = [];
  let palette: Uint8Array = new Uint8Array();
  let exif: Binary | undefined;
  for (let at = 8; ; ) {
    const length = file.readUInt32BE(at);
    const type = file.latin1(at + 4, at + 8);
    if (type === "IEND") break;
    if (at + 12 + length > file.length) throw new RangeError("cut off");
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === "IDAT") data.push(body);
    else if (type === "PLTE") palette = body;
    else if (type === "eXIf") exif = body;
    at += 12 + length;
  }
  return { data, palette, exif };
}

/** Bytes that are unpacked at a time: what a thousand times as many come out of is little enough. */
const UNPACKED_AT_A_TIME = 65_536;

/** zlib's stream, of which no more is kept than there should be. */
async function inflate(parts: readonly Uint8Array<ArrayBuffer>[], bytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytes);
  const { readable, writable } = new DecompressionStream("deflate");
  // Straight into it: in browsers a blob's stream comes by way of another process.
  const write = async () => {
    const writer = writable.getWriter();
    for (const part of parts)
      for (let from = 0; from < part.length; from += UNPACKED_AT_A_TIME)
        await writer.write(part.subarray(from, from + UNPACKED_AT_A_TIME));
    await writer.close();
  };
  // Whoever reads hears what is wrong with it.
  write().catch(() => {});
  let at = 0;
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > bytes) throw new Error("the PNG holds more pixels than it says");
    out.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes) throw new RangeError("cut off");
  return out;
}

/** Where a pass begins and how far its pixels lie apart. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}
const WHOLE: Pass = { x: 0, y: 0, dx: 1, dy: 1 };
const ADAM7: readonly Pass[] = [
  ...[
    { x: 0, y: 0, dx: 8, dy: 8 },
    { x: 4, y: 0, dx: 8, dy: 8 },
    { x: 0, y: 4, dx: 4, dy: 8 },
  ],
  ...[
    { x: 2, y: 0, dx: 4, dy: 4 },
    { x: 0, y: 2, dx: 2, dy: 4 },
    { x: 1, y: 0, dx: 2, dy: 2 },
  ],
  { x: 0, y: 1, dx: 1, dy: 2 },
];

interface PassSize {
  readonly columns: number;
  readonly rows: number;
  /** 0 for a pass without pixels. */
  readonly rowBytes: number;
}

function sizeOf({ x, y, dx, dy }: Pass, { width, height, samples, depth }: Header): PassSize {
  const columns = Math.max(0, Math.ceil((width - x) / dx));
  const rows = Math.max(0, Math.ceil((height - y) / dy));
  return { columns, rows, rowBytes: rows === 0 ? 0 : Math.ceil((columns * samples * depth) / 8) };
}

/** Undoes PNG's filters (§9) in place; each line begins with its filter's number. */
function unfilter(lines: Uint8Array, rowBytes: number, step: number): void {
  const stride = rowBytes + 1;
  for (let start = 0; start < lines.length; start += stride) {
    const filter = lines[start]!;
    if (filter > 4) throw new Error("the PNG's pixels are damaged");
    if (filter === 0) continue;
    for (let i = 1; i <= rowBytes; i++) {
      const at = start + i;
      const left = i > step ? lines[at - step]! : 0;
      const up = start > 0 ? lines[at - stride]! : 0;
      if (filter === 1) lines[at]! += left;
      else if (filter === 2) lines[at]! += up;
      else if (filter === 3) lines[at]! += (left + up) >> 1;
      else if (filter === 4) {
        const corner = i > step && start > 0 ? lines[at - stride - step]! : 0;
        const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
        lines[at]! += a <= b && a <= c ? left : b <= c ? up : corner;
      }
    }
  }
}

/** Puts a pass's samples where they belong, one byte each: the high one of two, else as the number is. */
function spread(lines: Uint8Array, out: Uint8Array, pass: Pass, size: PassSize, header: Header): void {
  const { depth, samples, width } = header;
  const most = (1 << depth) - 1;
  if (depth === 8 && pass === WHOLE) {
    for (let row = 0; row < size.rows; row++) {
      const start = row * (size.rowBytes + 1) + 1;
      out.set(lines.subarray(start, start + size.rowBytes), row * size.rowBytes);
    }
    return;
  }
  for (let row = 0; row < size.rows; row++) {
    const start = row * (size.rowBytes + 1) + 1;
    const to = (pass.y + row * pass.dy) * width;
    for (let i = 0; i < size.columns * samples; i++) {
      const bit = i * depth;
      const value =
        depth >= 8
          ? lines[start + (bit >> 3)]!
          : (lines[start + (bit >> 3)]! >> (8 - depth - (bit & 7))) & most;
      const x = pass.x + Math.trunc(i / samples) * pass.dx;
      out[(to + x) * samples + (i % samples)] = value;
    }
  }
}

/** The picture in the mode in which Pillow opens it. */
function imageOf(samples: Uint8Array, header: Header, palette: Uint8Array): DecodedImage {
  const { width, height, depth, colour } = header;
  const of = (mode: ImageMode, data: Uint8Array): DecodedImage => {
    const image = { mode, width, height, data };
    return depth === 16 && isDark(image) ? { ...image, dark: true } : image;
  };
  if (colour === INDEXED) return fromPalette(width, height, samples, palette);
  if (colour === COLOUR) return of("RGB", samples);
  if (colour === COLOUR_ALPHA) return of("RGBA", samples);
  if (colour === GRAY_ALPHA) {
    const data = new Uint8Array(samples.length * 2);
    for (let i = 0; i < samples.length; i += 2)
      data.fill(samples[i]!, 2 * i, 2 * i + 3)[2 * i + 3] = samples[i + 1]!;
    return of("RGBA", data);
  }
  if (depth === 1) return fromPalette(width, height, samples, Uint8Array.of(0, 0, 0, 255, 255, 255));
  return of("L", depth < 8 ? samples.map((value) => value * (255 / ((1 << depth) - 1))) : samples);
}
