import { Binary } from "../support/binary.ts";
import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isLfsPointer, LFS_HINT } from "../support/json.ts";

/** Makes the error for something wrong in a file: `CHECKPOINT_INVALID` naming the file. */
export type Fail = (why: string, options?: { hint?: string; cause?: unknown }) => ClipInterpretError;

/** A weights file opened to read its headers, never as a whole. */
export interface WeightSource {
  /** Where it is, with links resolved. */
  readonly file: string;
  readonly size: number;
  /** Reads exactly these bytes; throws {@link fail}'s error when the file does not hold them. */
  read(offset: number, length: number): Promise<Binary>;
  readonly fail: Fail;
}

/**
 * Opens a weights file for as long as `use` takes.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, and whatever `use` throws
 */
export async function withWeightSource<T>(
  bytes: Bytes,
  path: string,
  use: (source: WeightSource) => Promise<T>,
): Promise<T> {
  const fail: Fail = (why, options) =>
    new ClipInterpretError("CHECKPOINT_INVALID", `${path}: ${why}`, options);
  return bytes.open(path, async ({ path: file, size, read: readPart }) => {
    const read = async (offset: number, length: number) => {
      if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw fail("is cut off");
      return Binary.over(await readPart(offset, length));
    };
    if (isLfsPointer(await read(0, Math.min(size, 64))))
      throw fail("is a Git LFS pointer, not the weights", { hint: LFS_HINT });
    return use({ file, size, read, fail });
  });
}

/** A name out of a file, fit for a message: short, and without characters that control a terminal or the direction of text. */
export function quoted(name: string): string {
  const text = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return /^[\w.…-]+$/.test(text) ? text : JSON.stringify(text).replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
