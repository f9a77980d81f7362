import { fromHalf, toHalf } from "../math/half.ts";
import type { Bytes } from "../support/bytes.ts";
import { tensorBytes } from "./pieces.ts";
import type { TensorRef, WeightDtype } from "./safetensors.ts";

/** Reads a tensor as float32: exact, but for float64, which is rounded as the towers round it. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
export async function readTensor(bytes: Bytes, tensor: TensorRef): Promise<Float32Array> {
  const read = await bytes.open(tensor.file, (file) => file.read(tensor.offset, tensorBytes(tensor)));
  return decode(read, tensor.dtype);
}

function decode({ buffer }: Uint8Array<ArrayBuffer>, dtype: WeightDtype): Float32Array {
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "F64") return Float32Array.from(new Float64Array(buffer));
  const halves = new Uint16Array(buffer);
  if (dtype === "F16") return fromHalf(halves);
  // bfloat16 is the upper half of a float32.
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}

/** Values in a stored type, rounded to the nearest, ties to even. */
export function encodeValues(values: Float32Array, dtype: WeightDtype): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.slice().buffer);
  if (dtype === "F64") return new Uint8Array(Float64Array.from(values).buffer);
  if (dtype === "F16") return new Uint8Array(toHalf(values).buffer);
  const words = new Uint32Array(values.slice().buffer);
  return new Uint8Array(
    Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer,
  );
}
