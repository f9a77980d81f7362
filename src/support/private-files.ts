/*
 * A browser's private files (OPFS), as much of them as is used: the package is compiled without a browser's types.
 */

/** A folder of a browser's private files. */
export interface PrivateFolder {
  readonly kind: "directory";
  readonly name: string;
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<PrivateFolder>;
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<PrivateFile>;
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>;
  values(): AsyncIterable<PrivateFolder | PrivateFile>;
}

/** One of its files. */
export interface PrivateFile {
  readonly kind: "file";
  readonly name: string;
  getFile(): Promise<Blob>;
  /** What is written counts once it is closed: a file is whole or not there. */
  createWritable(): Promise<{
    write(data: Uint8Array<ArrayBuffer> | string): Promise<void>;
    close(): Promise<void>;
    abort(): Promise<void>;
  }>;
}

/** Writes a file whole, or not at all. */
export async function writePrivate(
  folder: PrivateFolder,
  name: string,
  data: Uint8Array<ArrayBuffer> | string,
): Promise<void> {
  const file = await folder.getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  try {
    await writable.write(data);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    await folder.removeEntry(name).catch(() => {});
    throw error;
  }
}

/** A file's text; undefined where there is none. */
export async function readPrivate(folder: PrivateFolder, name: string): Promise<string | undefined> {
  const file = await folder.getFileHandle(name).catch(() => undefined);
  return file && (await file.getFile()).text();
}

/** Bytes of all that is in a folder. */
export async function privateBytes(folder: PrivateFolder): Promise<number> {
  let bytes = 0;
  for await (const entry of folder.values())
    bytes += entry.kind === "file" ? (await entry.getFile()).size : await privateBytes(entry);
  return bytes;
}

/** The same in memory, for a browser that keeps no files. */
export function memoryFolder(name = ""): PrivateFolder {
  const folders = new Map<string, PrivateFolder>();
  const files = new Map<string, Blob>();
  const missing = (of: string) => new DOMException(`no ${of}`, "NotFoundError");
  const file = (of: string): PrivateFile => ({
    kind: "file",
    name: of,
    async getFile() {
      return files.get(of)!;
    },
    async createWritable() {
      const parts: (Uint8Array<ArrayBuffer> | string)[] = [];
      return {
        write: async (data) => void parts.push(data),
        close: async () => void files.set(of, new Blob(parts)),
        abort: async () => {},
      };
    },
  });
  return {
    ...{ kind: "directory", name },
    async getDirectoryHandle(of, { create = false } = {}) {
      if (create && !folders.has(of)) folders.set(of, memoryFolder(of));
      return folders.get(of) ?? Promise.reject(missing(of));
    },
    async getFileHandle(of, { create = false } = {}) {
      if (create && !files.has(of)) files.set(of, new Blob([]));
      return files.has(of) ? file(of) : Promise.reject(missing(of));
    },
    async removeEntry(of) {
      if (!folders.delete(of) && !files.delete(of)) throw missing(of);
    },
    async *values() {
      yield* folders.values();
      for (const of of files.keys()) yield file(of);
    },
  };
}
