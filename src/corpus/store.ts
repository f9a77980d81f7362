import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClipInterpretError } from "../support/errors.ts";
import { guardWrite, inputError, putInPlace, writeWhole } from "../support/files.ts";

/**
 * Where an index lies: names and bytes. What `put` writes appears whole or not at all, so a store of objects can take
 * the place of a folder.
 */
export interface Store {
  /** What messages call it. */
  readonly where: string;
  /** @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
  read(name: string): Promise<Buffer>;
  /** Bytes `offset … offset + length`. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` when there are fewer */
  readRange(name: string, offset: number, length: number): Promise<Buffer<ArrayBuffer>>;
  /** Size in bytes; undefined when there is no such file. @throws `INPUT_UNREADABLE` when that cannot be said */
  size(name: string): Promise<number | undefined>;
  /** Writes or replaces a file. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  put(name: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes a folder of files; an unfinished one of that name is replaced. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  putFolder(name: string, files: ReadonlyMap<string, readonly Uint8Array[]>): Promise<void>;
  /** Names directly in a folder; none when it does not exist. @throws `INPUT_UNREADABLE` */
  list(name: string): Promise<string[]>;
  /** Removes a file or folder, if it is there. */
  remove(name: string): Promise<void>;
}

/** A store in a folder of the file system. Files are synced before they get their names. */
export function folderStore(root: string): Store {
  const path = (name: string) => join(root, name);
  return {
    where: root,
    async read(name) {
      const length = await this.size(name);
      return this.readRange(name, 0, length ?? 0);
    },
    async readRange(name, offset, length) {
      const handle = await open(path(name)).catch((cause) => Promise.reject(inputError(path(name), cause)));
      try {
        const bytes = Buffer.alloc(length);
        for (let done = 0; done < length; ) {
          const share = Math.min(length - done, 1 << 30);
          const { bytesRead } = await handle.read(bytes, done, share, offset + done);
          if (bytesRead === 0) throw new Error("the file ends too early");
          done += bytesRead;
        }
        return bytes;
      } catch (cause) {
        throw inputError(path(name), cause);
      } finally {
        await handle.close();
      }
    },
    size: (name) => unlessMissing(path(name), async () => (await stat(path(name))).size, undefined),
    // One process writes to an index, so that what it left when it was killed has a name that is known.
    put: (name, chunks) => writeWhole(path(name), chunks, { part: `${path(name)}.part` }),
    putFolder: (name, files) =>
      guardWrite(path(name), async () => {
        const partial = `${path(name)}.part`;
        await rm(partial, { recursive: true, force: true });
        for (const [file, chunks] of files) await writeWhole(join(partial, file), chunks);
        await rm(path(name), { recursive: true, force: true });
        await putInPlace(partial, path(name));
      }),
    list: (name) => unlessMissing(path(name), () => readdir(path(name)), []),
    remove: (name) => guardWrite(path(name), () => rm(path(name), { recursive: true, force: true })),
  };
}

/** What is read of a path, or `otherwise` where nothing is there; a drive that does not answer is another matter. */
async function unlessMissing<T>(path: string, read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const error = inputError(path, cause);
    if (error.code === "INPUT_NOT_FOUND") return otherwise;
    throw new ClipInterpretError(error.code, error.message, {
      cause,
      hint: "Check that its drive is there.",
    });
  }
}
