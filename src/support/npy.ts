import { ClipInterpretError } from "./errors.ts";
import { readInput, writeOutput } from "./files.ts";

/** A dense array in C order: `data.length` is the product of `shape`. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;
}

const MAGIC = "\x93NUMPY";
const KINDS = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i8": BigInt64Array,
  "<i4": Int32Array,
  "|u1": Uint8Array,
} as const;

/**
 * Reads a NumPy `.npy` file (format 1.0–3.0) of float32, float64, int64, int32 or uint8, C order.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `NPY_INVALID`
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readInput(path), path);
}

/** Parses the bytes of a `.npy` file. `name` appears in error messages. */
export function parseNpy(bytes: Uint8Array, name = "array"): NpyArray {
  const invalid = (why: string) => new ClipInterpretError("NPY_INVALID", `${name}: ${why}`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || buffer.toString("latin1", 0, 6) !== MAGIC) throw invalid("not a .npy file");
  const wide = buffer[6] >= 2;
  const headerStart = wide ? 12 : 10;
  const headerEnd = headerStart + (wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  if (headerEnd > buffer.length) throw invalid("the header is cut off");
  const header = buffer.toString("latin1", headerStart, headerEnd);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const shapeText = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (!/'fortran_order':\s*False/.test(header)) throw invalid("must be in C order");
  if (shapeText === undefined) throw invalid("the header names no shape");
  const Kind = KINDS[descr as keyof typeof KINDS];
  if (!Kind) throw invalid(`type '${descr}' is not one of ${Object.keys(KINDS).join(", ")}`);
  const shape = shapeText
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const length = count * Kind.BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(length) || headerEnd + length !== buffer.length) {
    throw invalid(
      `shape [${shape.join(", ")}] needs ${length} bytes, the file holds ${buffer.length - headerEnd}`,
    );
  }
  const data = buffer.buffer.slice(buffer.byteOffset + headerEnd, buffer.byteOffset + buffer.length);
  return { shape, data: new Kind(data as ArrayBuffer) };
}

/** Reads a float32 or float64 array as float32, of the rank given. @throws `NPY_INVALID` */
export async function readFloatNpy(
  path: string,
  rank: number,
): Promise<{ shape: number[]; data: Float32Array }> {
  const { shape, data } = await readNpy(path);
  if (!(data instanceof Float32Array || data instanceof Float64Array) || shape.length !== rank) {
    throw new ClipInterpretError(
      "NPY_INVALID",
      `${path}: needs a float array with ${rank} axes, has [${shape.join(", ")}]`,
    );
  }
  return { shape: [...shape], data: Float32Array.from(data) };
}

/** The bytes of a `.npy` file (format 1.0, 64-byte aligned as NumPy writes it). */
export function formatNpy({ shape, data }: NpyArray): Uint8Array {
  const descr = Object.entries(KINDS).find(([, Kind]) => data instanceof Kind)![0];
  const shapeText = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shapeText}, }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const prefix = Buffer.alloc(10 + padded.length);
  prefix.write(MAGIC, 0, "latin1");
  prefix.writeUInt8(1, 6);
  prefix.writeUInt16LE(padded.length, 8);
  prefix.write(padded, 10, "latin1");
  return Buffer.concat([prefix, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Writes a `.npy` file. @throws `OUTPUT_UNWRITABLE` */
export function writeNpy(path: string, array: NpyArray): Promise<void> {
  return writeOutput(path, formatNpy(array));
}
