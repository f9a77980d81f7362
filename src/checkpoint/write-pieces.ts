import { createReadStream } from "node:fs";
import { writeWhole } from "../support/files.ts";
import { checkCancelled } from "../support/progress.ts";
import { type Piece, tensorBytes } from "./pieces.ts";

/** Writes a file that appears when it is whole. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`, `CANCELLED` */
export const writePieces = (path: string, pieces: readonly Piece[], signal?: AbortSignal): Promise<void> =>
  writeWhole(path, chunksOf(pieces, signal));

async function* chunksOf(pieces: readonly Piece[], signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    checkCancelled(signal);
    if (piece instanceof Uint8Array) yield piece;
    else if (tensorBytes(piece) > 0) {
      yield* createReadStream(piece.file, {
        start: piece.offset,
        end: piece.offset + tensorBytes(piece) - 1,
      });
    }
  }
}
