import { Binary } from "./binary.ts";
import { ClipInterpretError } from "./errors.ts";

/** What a file begins with, in Latin-1. */
export const MAGIC = "\x93NUMPY";
/** Types of numbers by their names in a header. */
export const KINDS = {
  // Float16 as its bits (math/half.ts).
  "<f2": Uint16Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i8": BigInt64Array,
  "<i4": Int32Array,
  "|u1": Uint8Array,
} as const;

/**
 * Parses the start of a `.npy` file and checks that the data behind it has the size the header says.
 * @param bytes the file's beginning, with at least the whole header
 * @param fileSize the whole file's size in bytes
 * @throws `NPY_INVALID`
 */
export function parseNpyHeader(
  bytes: Uint8Array,
  fileSize: number,
  name: string,
): { shape: number[]; descr: keyof typeof KINDS; dataStart: number } {
  const invalid = (why: string) => new ClipInterpretError("NPY_INVALID", `${name}: ${why}`);
  const buffer = Binary.over(bytes);
  if (buffer.length < 12 || buffer.latin1(0, 6) !== MAGIC) throw invalid("not a .npy file");
  const wide = buffer[6] >= 2;
  const headerStart = wide ? 12 : 10;
  const dataStart = headerStart + (wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  if (dataStart > buffer.length) throw invalid("the header is cut off");
  const header = buffer.latin1(headerStart, dataStart);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const shapeText = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (!/'fortran_order':\s*False/.test(header)) throw invalid("must be in C order");
  if (shapeText === undefined) throw invalid("the header names no shape");
  if (!isKind(descr)) throw invalid(`type '${descr}' is not one of ${Object.keys(KINDS).join(", ")}`);
  const shape = shapeText
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const length = shape.reduce((product, size) => product * size, KINDS[descr].BYTES_PER_ELEMENT);
  if (dataStart + length !== fileSize) {
    throw invalid(
      `shape [${shape.join(", ")}] needs ${length} bytes, the file holds ${fileSize - dataStart}`,
    );
  }
  return { shape, descr, dataStart };
}

const isKind = (descr: string): descr is keyof typeof KINDS => Object.hasOwn(KINDS, descr);

/** The header of a `.npy` file in format 1.0, padded so that the data is 64-byte aligned as NumPy writes it. */
export function formatNpyHeader(descr: keyof typeof KINDS, shape: readonly number[]): Uint8Array {
  const shapeText = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shapeText}, }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const version = "\x01\0";
  const length = String.fromCharCode(padded.length & 255, padded.length >> 8);
  return Uint8Array.from(`${MAGIC}${version}${length}${padded}`, (letter) => letter.charCodeAt(0));
}
