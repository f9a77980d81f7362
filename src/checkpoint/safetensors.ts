import type { Bytes } from "../support/bytes.ts";
import { messageOf } from "../support/errors.ts";
import { type Fail, type WeightSource, withWeightSource } from "./weight-source.ts";

/** Bytes per element of the types a weight may have. */
export const DTYPE_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;

/** Element type of a weight, as safetensors names it. */
export type WeightDtype = keyof typeof DTYPE_BYTES;

/** Where a tensor's bytes lie in a file: C order, little-endian. The bytes themselves are never copied. */
export interface TensorRef {
  readonly name: string;
  /** Where it is, with links resolved (ONNX Runtime refuses links that leave the folder). */
  readonly file: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  /** Byte offset from the start of the file. */
  readonly offset: number;
}

/** Names and types of tensors that are no weights. */
export type LeftOut = Map<string, string>;

/** A header larger than this is not a checkpoint's: the format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
/** Bytes per element of every type a file may hold, by safetensors' names. */
export const ALL_DTYPE_BYTES: Readonly<Record<string, number>> = {
  ...DTYPE_BYTES,
  ...{
    I64: 8,
    U64: 8,
    I32: 4,
    U32: 4,
    I16: 2,
    U16: 2,
    I8: 1,
    U8: 1,
    BOOL: 1,
    F8_E4M3: 1,
    F8_E5M2: 1,
  },
};

/**
 * Reads the header of a `.safetensors` file: 8 bytes of length, JSON, then the data.
 * Tensors of other types than {@link WeightDtype} (HF's `position_ids` are int64) are checked and left out.
 *
 * @param leftOut is given the types of those, by name
 * @returns the weights by name, in the file's order
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`; `CHECKPOINT_INVALID` for anything damaged or hostile
 */
export async function readSafetensors(
  bytes: Bytes,
  path: string,
  leftOut: LeftOut = new Map(),
): Promise<Map<string, TensorRef>> {
  return withWeightSource(bytes, path, async (source) => {
    const { json, dataStart } = await readHeader(source);
    const tensors = new Map<string, TensorRef>();
    for (const [name, entry] of Object.entries(json)) {
      if (name === "__metadata__") continue;
      const { dtype, shape, begin } = checkEntry(name, entry, source.size - dataStart, source.fail);
      if (dtype in DTYPE_BYTES) {
        const offset = dataStart + begin;
        tensors.set(name, { name, file: source.file, dtype: dtype as WeightDtype, shape, offset });
      } else leftOut.set(name, dtype);
    }
    return tensors;
  });
}

async function readHeader({ size, read, fail }: WeightSource) {
  if (size < 8) throw fail("is too short for a safetensors file");
  const length = Number((await read(0, 8)).readBigUInt64LE());
  if (length > Math.min(size - 8, MAX_HEADER_BYTES)) {
    throw fail(`the header claims ${length} bytes of a file of ${size}; cut off or not safetensors`);
  }
  const bytes = await read(8, length);
  return { json: parseHeader(bytes.utf8(), fail), dataStart: 8 + length };
}

function parseHeader(text: string, fail: Fail): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail(`the header is not JSON (${messageOf(cause)})`, { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw fail("the header is not a JSON object");
  }
  return json as Record<string, unknown>;
}

function checkEntry(name: string, entry: unknown, dataBytes: number, fail: Fail) {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (typeof dtype !== "string" || !(dtype in ALL_DTYPE_BYTES)) {
    throw fail(`tensor ${name} has the unknown type ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) throw fail(`tensor ${name} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw fail(`tensor ${name} has no valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  const needed = (shape as number[]).reduce((product, dim) => product * dim, 1) * ALL_DTYPE_BYTES[dtype];
  if (end - begin !== needed) {
    throw fail(`tensor ${name} [${shape.join(", ")}] needs ${needed} bytes and is given ${end - begin}`);
  }
  if (end > dataBytes) throw fail(`tensor ${name} ends past the end of the file; the file is cut off`);
  return { dtype, shape: shape as number[], begin };
}
