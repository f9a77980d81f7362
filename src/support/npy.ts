import { ClipInterpretError } from "./errors.ts";
import { readInput } from "./files.ts";

/** A dense array in C order: `data.length` is the product of `shape`. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array;
}

const MAGIC = "\x93NUMPY";
const KINDS = {
  // Float16 as its bits (math/half.ts).
  "<f2": Uint16Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i8": BigInt64Array,
  "<i4": Int32Array,
  "|u1": Uint8Array,
} as const;

/**
 * Reads a NumPy `.npy` file (format 1.0–3.0) of float16 (as bits), float32, float64, int64, int32 or uint8, C order.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `NPY_INVALID`
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readInput(path), path);
}

/** Parses the bytes of a `.npy` file. `name` appears in error messages. @throws `NPY_INVALID` */
export function parseNpy(bytes: Uint8Array, name = "array"): NpyArray {
  const { shape, descr, dataStart } = parseNpyHeader(bytes, bytes.byteLength, name);
  // A copy of its own: typed arrays need alignment, and a Buffer may be a window of a larger pool.
  const data = Uint8Array.from(bytes.subarray(dataStart)).buffer;
  return { shape, data: new KINDS[descr](data) };
}

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
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || buffer.toString("latin1", 0, 6) !== MAGIC) throw invalid("not a .npy file");
  const wide = buffer[6] >= 2;
  const headerStart = wide ? 12 : 10;
  const dataStart = headerStart + (wide ? buffer.readUInt32LE(8) : buffer.readUInt16LE(8));
  if (dataStart > buffer.length) throw invalid("the header is cut off");
  const header = buffer.toString("latin1", headerStart, dataStart);
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

/** The bytes of a `.npy` file. */
export function formatNpy({ shape, data }: NpyArray): Uint8Array {
  const [descr] = Object.entries(KINDS).find(([, Kind]) => data instanceof Kind) as [
    keyof typeof KINDS,
    unknown,
  ];
  return Buffer.concat([
    formatNpyHeader(descr, shape),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** The header of a `.npy` file in format 1.0, padded so that the data is 64-byte aligned as NumPy writes it. */
export function formatNpyHeader(descr: keyof typeof KINDS, shape: readonly number[]): Uint8Array {
  const shapeText = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shapeText}, }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const prefix = Buffer.alloc(10 + padded.length);
  prefix.write(MAGIC, 0, "latin1");
  prefix.writeUInt8(1, 6);
  prefix.writeUInt16LE(padded.length, 8);
  prefix.write(padded, 10, "latin1");
  return prefix;
}
