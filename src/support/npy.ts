import { ClipInterpretError } from "./errors.ts";
import { readInput } from "./files.ts";
import { formatNpyHeader, KINDS, parseNpyHeader } from "./npy-header.ts";

/** A dense array in C order: `data.length` is the product of `shape`. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array;
}

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
