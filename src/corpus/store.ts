import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { guardWrite, inputError, putInPlace, sizeOf, writeWhole } from "../support/files.ts";

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
  /** Size in bytes; undefined when there is no such file. */
  size(name: string): Promise<number | undefined>;
  /** Writes or replaces a file. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  put(name: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes a folder of files; an unfinished one of that name is replaced. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
  putFolder(name: string, files: ReadonlyMap<string, readonly Uint8Array[]>): Promise<void>;
  /** Names directly in a folder; none when it does not exist. */
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
      const length = await sizeOf(path(name));
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
    size: (name) => sizeOf(path(name)),
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
    list: (name) => readdir(path(name)).catch(() => []),
    remove: (name) => guardWrite(path(name), () => rm(path(name), { recursive: true, force: true })),
  };
}
