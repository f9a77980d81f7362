import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";

/*
 * A model file may hold gigabytes, so a file to write is a list of pieces, the large ones still in the
 * checkpoint that they come from.
 */

/** A part of a file: bytes, or a tensor's bytes in a checkpoint. */
export type Piece = Uint8Array | TensorRef;

/** Bytes of a tensor. */
export const tensorBytes = ({ shape, dtype }: Pick<TensorRef, "shape" | "dtype">): number =>
  shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);

/** Bytes of some pieces together. */
export const sizeOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : tensorBytes(piece)), 0);
