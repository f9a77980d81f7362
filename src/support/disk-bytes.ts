import { createHash } from "node:crypto";
import { open, readdir, realpath, stat } from "node:fs/promises";
import type { Bytes, OpenFile } from "./bytes.ts";
import { ClipInterpretError } from "./errors.ts";
import { inputError, readInput } from "./files.ts";

const HASHED_AT_ONCE = 2 ** 20;

/** Files of this machine. */
export const disk: Bytes = {
  async names(folder) {
    try {
      return new Set(await readdir(folder));
    } catch (cause) {
      throw new ClipInterpretError("MODEL_NOT_FOUND", `no model folder ${folder}`, { cause });
    }
  },
  read: readInput,
  async open(path, use) {
    try {
      const file = await realpath(path);
      const handle = await open(file);
      try {
        const { size } = await handle.stat();
        const read: OpenFile["read"] = async (offset, length) => {
          const bytes = new Uint8Array(length);
          for (let done = 0; done < length; ) {
            const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
            if (bytesRead === 0)
              throw new ClipInterpretError("INPUT_UNREADABLE", `${path} became shorter while it was read`);
            done += bytesRead;
          }
          return bytes;
        };
        return await use({ path: file, size, read });
      } finally {
        await handle.close();
      }
    } catch (cause) {
      // Only the system's own errors are about the file.
      throw (cause as NodeJS.ErrnoException).errno === undefined ? cause : inputError(path, cause);
    }
  },
  async hash(paths) {
    const hash = createHash("sha256");
    // One piece of memory: a stream's own pieces cost more than the hash.
    const piece = new Uint8Array(HASHED_AT_ONCE);
    for (const path of paths) {
      try {
        const handle = await open(path);
        try {
          for (;;) {
            const { bytesRead } = await handle.read(piece);
            if (bytesRead === 0) break;
            hash.update(piece.subarray(0, bytesRead));
          }
        } finally {
          await handle.close();
        }
      } catch (cause) {
        throw inputError(path, cause);
      }
    }
    return hash.digest("hex");
  },
  async identify(path) {
    try {
      const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs].join();
    } catch (cause) {
      throw inputError(path, cause);
    }
  },
};
