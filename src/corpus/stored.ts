import { fromHalf, toHalf } from "../math/half.ts";
import type { Decomposition } from "../model/decomposition.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Layout } from "./manifest.ts";

/** Images of one batch in the form in which an index keeps them. */
export interface StoredBatch {
  readonly count: number;
  /** [n, L, H, d_h]: z, unscaled; float16 as its bits. */
  readonly z: Uint16Array | Float32Array;
  /** [n, 3]: μ, σ, ‖e‖. */
  readonly scalars: Float32Array;
  /** [n, D]: e/‖e‖. */
  readonly embedding: Float32Array;
  /** [n, L+1, D] as float16 bits; empty unless the index keeps MLP terms. */
  readonly mlps: Uint16Array;
}

/** Brings a decomposition into the stored form. @throws `HALF_OVERFLOW` */
export function storeBatch(parts: Decomposition, { dtype, mlps, embedDim }: Layout): StoredBatch {
  const { count, mu, sigma, norm } = parts;
  const scalars = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) scalars.set([mu[i], sigma[i], norm[i]], i * 3);
  return {
    count,
    z: dtype === "float16" ? halves(parts.z, "z") : parts.z.slice(),
    scalars,
    embedding: parts.embedding.map((value, i) => value / norm[Math.floor(i / embedDim)]),
    mlps: mlps ? halves(parts.mlps, "an MLP term") : new Uint16Array(0),
  };
}

function halves(values: Float32Array, what: string): Uint16Array {
  const bits = toHalf(values);
  const infinite = bits.findIndex((half) => (half & 0x7c00) === 0x7c00);
  if (infinite < 0) return bits;
  throw new ClipInterpretError("HALF_OVERFLOW", `${what} is ${values[infinite]}: float16 ends at 65504`);
}

/** Stored numbers as float32; exact. */
export const asFloats = (stored: Uint16Array | Float32Array): Float32Array =>
  stored instanceof Uint16Array ? fromHalf(stored) : stored;

/** Bytes of a typed array, without a copy. */
export const bytesOf = (array: Uint16Array | Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
