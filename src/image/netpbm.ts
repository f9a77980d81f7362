import { roundHalfEven } from "../math/round.ts";
import type { Binary } from "../support/binary.ts";
import type { DecodedImage, OpenedImage } from "./pixels.ts";

const WHITESPACE = new Set([9, 10, 11, 12, 13, 32]);
const HASH = 35;

/**
 * Reads PBM, PGM and PPM (P1 to P6), plain or raw, in the modes in which Pillow opens them; samples of any depth are
 * scaled to 0–255. Deeper grays than that keep their full range, which Pillow's do not.
 * @throws Error where the file is damaged
 */
export function openNetpbm(file: Binary): OpenedImage {
  const kind = file.readUInt8(1) - 48;
  const plain = kind <= 3;
  const bitmap = kind % 3 === 1;
  const channels = kind % 3 === 0 ? 3 : 1;
  const reader = tokensOf(file, 2);
  const [width, height] = [reader.number(), reader.number()];
  const most = bitmap ? 1 : reader.number();
  if (width === 0 || height === 0) throw new Error("the picture has no pixels");
  if (most < 1 || most > 65535) throw new Error(`its samples reach ${most}, and 65535 is the most`);
  const count = width * height * channels;
  const decode = (): DecodedImage => {
    const samples = plain
      ? readPlain(reader, count, most, bitmap)
      : bitmap
        ? readBits(file, reader.at + 1, width, height)
        : readRaw(file, reader.at + 1, count, most);
    if (bitmap) return { mode: "P", width, height, data: blackOnWhite(samples) };
    const data = most === 255 ? new Uint8Array(samples) : scale(samples, most);
    return { mode: channels === 3 ? "RGB" : "L", width, height, data };
  };
  return { width, height, decode };
}

interface Tokens {
  /** Where the next byte lies. */
  at: number;
  number(): number;
  /** A digit alone: plain bitmaps need no space between theirs. */
  digit(): number;
}

/** Numbers with whitespace and comments between, from `start` on. */
function tokensOf(file: Binary, start: number): Tokens {
  const tokens: Tokens = {
    at: start,
    digit() {
      for (; ; tokens.at++) {
        const byte = file[tokens.at];
        if (byte === undefined) throw new Error("the file is cut off");
        if (byte === HASH) while (tokens.at < file.length && !isLineEnd(file[tokens.at]!)) tokens.at++;
        else if (!WHITESPACE.has(byte)) break;
      }
      const digit = file[tokens.at]! - 48;
      if (digit < 0 || digit > 9) throw new Error(`there is no number at byte ${tokens.at}`);
      tokens.at++;
      return digit;
    },
    number() {
      let value = tokens.digit();
      for (; tokens.at < file.length; tokens.at++) {
        const digit = file[tokens.at]! - 48;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
        if (value > 1e9) throw new Error("a number in it is too large");
      }
      return value;
    },
  };
  return tokens;
}

const isLineEnd = (byte: number) => byte === 10 || byte === 13;

function readPlain(tokens: Tokens, count: number, most: number, bitmap: boolean): Uint16Array {
  const samples = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const value = bitmap ? tokens.digit() : tokens.number();
    if (value > most) throw new Error(`a sample is ${value}, and ${most} is the most`);
    samples[i] = value;
  }
  return samples;
}

function readBits(file: Binary, at: number, width: number, height: number): Uint8Array {
  const stride = Math.ceil(width / 8);
  requireBytes(file, at, stride * height);
  const samples = new Uint8Array(width * height);
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0; x < width; x++) samples[out++] = (file[at + y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1;
  }
  return samples;
}

function readRaw(file: Binary, at: number, count: number, most: number): Uint8Array | Uint16Array {
  requireBytes(file, at, most > 255 ? count * 2 : count);
  if (most <= 255) return file.subarray(at, at + count);
  const samples = new Uint16Array(count);
  for (let i = 0; i < count; i++) samples[i] = file.readUInt16BE(at + 2 * i);
  return samples;
}

function requireBytes(file: Binary, at: number, bytes: number): void {
  if (file.length < at + bytes) throw new Error("the file is cut off");
}

/** A set bit is black. */
function blackOnWhite(bits: ArrayLike<number>): Uint8Array {
  const data = new Uint8Array(bits.length * 3);
  for (let i = 0; i < bits.length; i++) data.fill(bits[i] === 0 ? 255 : 0, i * 3, i * 3 + 3);
  return data;
}

/** Samples of 0…most as 0…255, rounded as Python rounds; what is above `most` is white. */
function scale(samples: ArrayLike<number>, most: number): Uint8Array {
  const levels = Uint8Array.from({ length: most + 1 }, (_, value) => roundHalfEven((value / most) * 255));
  const scaled = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) scaled[i] = levels[samples[i]!] ?? 255;
  return scaled;
}
