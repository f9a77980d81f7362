import { open, readdir, realpath, stat } from "node:fs/promises";
import type { Bytes, OpenFile } from "./bytes.ts";
import { ClipInterpretError } from "./errors.ts";
import { inputError, readInput } from "./files.ts";
import { hashFiles } from "./hash-files.ts";
import type { HashCalls } from "./hash-thread.ts";
import { callThread } from "./node-port.ts";
import { startThread } from "./thread.ts";

/** Bytes from which on files are hashed in a thread of their own: a quarter of a second. */
const HASHED_APART = 2 ** 28;

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
        const entry = await handle.stat();
        // Windows says that a folder is an empty file.
        if (entry.isDirectory()) throw inputError(path, { code: "EISDIR" });
        const { size } = entry;
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
    let bytes = 0;
    for (const path of paths)
      bytes += (await stat(path).catch((cause) => Promise.reject(inputError(path, cause)))).size;
    if (bytes < HASHED_APART) return hashFiles(paths);
    const thread = callThread<HashCalls>(startThread(import.meta.url, "hash-thread", null));
    try {
      return await thread.call("hash", { paths });
    } finally {
      await thread.close();
    }
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
