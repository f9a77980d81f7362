import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";

/*
 * A model file may hold gigabytes, so one that is to be written is a list of pieces, the large ones still in the
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

/**
 * Writes a file under another name and renames it, so that what stands there is whole.
 * @throws `OUTPUT_UNWRITABLE`, `CANCELLED`
 */
export async function writePieces(
  path: string,
  pieces: readonly Piece[],
  signal?: AbortSignal,
): Promise<void> {
  const partial = `${resolve(path)}.partial`;
  try {
    await mkdir(dirname(partial), { recursive: true });
    const file = await open(partial, "w");
    try {
      for (const piece of pieces) {
        checkCancelled(signal);
        if (piece instanceof Uint8Array) await file.writeFile(piece);
        else if (tensorBytes(piece) > 0) {
          const end = piece.offset + tensorBytes(piece) - 1;
          for await (const chunk of createReadStream(piece.file, { start: piece.offset, end }))
            await file.writeFile(chunk as Buffer);
        }
      }
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof ClipInterpretError) throw cause;
    throw new ClipInterpretError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
