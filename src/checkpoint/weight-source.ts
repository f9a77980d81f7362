import { open, realpath } from "node:fs/promises";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError, isLfsPointer, LFS_HINT } from "../support/files.ts";

/** Makes the error for something wrong in a file: `CHECKPOINT_INVALID` naming the file. */
export type Fail = (why: string, options?: { hint?: string; cause?: unknown }) => ClipInterpretError;

/** A weights file opened to read its headers, never as a whole. */
export interface WeightSource {
  /** Absolute path with links resolved. */
  readonly file: string;
  readonly size: number;
  /** Reads exactly these bytes; throws {@link fail}'s error when the file does not hold them. */
  read(offset: number, length: number): Promise<Buffer>;
  readonly fail: Fail;
}

/**
 * Opens a weights file for as long as `use` takes.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, and whatever `use` throws
 */
export async function withWeightSource<T>(
  path: string,
  use: (source: WeightSource) => Promise<T>,
): Promise<T> {
  const fail: Fail = (why, options) =>
    new ClipInterpretError("CHECKPOINT_INVALID", `${path}: ${why}`, options);
  try {
    const file = await realpath(path);
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const read = async (offset: number, length: number) => {
        if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw fail("is cut off");
        const bytes = Buffer.alloc(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0) throw fail("became shorter while it was read");
          done += bytesRead;
        }
        return bytes;
      };
      if (isLfsPointer(await read(0, Math.min(size, 64))))
        throw fail("is a Git LFS pointer, not the weights", { hint: LFS_HINT });
      return await use({ file, size, read, fail });
    } finally {
      await handle.close();
    }
  } catch (cause) {
    // Only the system's own errors are about the file.
    throw (cause as NodeJS.ErrnoException).errno === undefined ? cause : inputError(path, cause);
  }
}

/** A name out of a file, fit for a message: short, and without characters that control a terminal or the direction of text. */
export function quoted(name: string): string {
  const text = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return /^[\w.…-]+$/.test(text) ? text : JSON.stringify(text).replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
