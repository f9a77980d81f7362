import type { WritableStore } from "../../../src/corpus/plain-store.ts";
import { ClipInterpretError, messageOf } from "../../../src/support/errors.ts";

/** Where folders are that the page was given. */
export const FOLDERS = "clip-interpret folders";

/** Folders of a file system that the browser keeps for this page alone (OPFS). */
export async function privateStore(folder: string): Promise<WritableStore> {
  const root = await navigator.storage
    ?.getDirectory?.()
    .then((top) => top.getDirectoryHandle(folder, { create: true }))
    .catch(() => undefined);
  if (!root) throw new ClipInterpretError("STORAGE_MISSING", "the browser keeps no files for this page");
  return storeIn(root, folder);
}

function storeIn(root: FileSystemDirectoryHandle, where: string, prefix = ""): WritableStore {
  const stepsOf = (name: string) =>
    `${prefix}/${name}`.split("/").filter((step) => step !== "" && step !== ".");
  const folderAt = async (steps: readonly string[], create = false) => {
    let folder = root;
    for (const step of steps) folder = await folder.getDirectoryHandle(step, { create });
    return folder;
  };
  const fileAt = async (name: string): Promise<File> => {
    const steps = stepsOf(name);
    const folder = await folderAt(steps.slice(0, -1));
    return (await folder.getFileHandle(steps.at(-1)!)).getFile();
  };
  const readable = async <T>(name: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (cause) {
      const code = isMissing(cause) ? "INPUT_NOT_FOUND" : "INPUT_UNREADABLE";
      throw new ClipInterpretError(code, `cannot read ${where}/${name}: ${messageOf(cause)}`, { cause });
    }
  };
  const written = async <T>(name: string, write: () => Promise<T>): Promise<T> => {
    try {
      return await write();
    } catch (cause) {
      const isFull = cause instanceof DOMException && cause.name === "QuotaExceededError";
      throw isFull
        ? new ClipInterpretError("STORAGE_FULL", "the browser has no more room for this page", { cause })
        : new ClipInterpretError("OUTPUT_UNWRITABLE", `cannot write ${where}/${name}: ${messageOf(cause)}`, {
            cause,
          });
    }
  };
  const store: WritableStore = {
    where,
    shared: false,
    read: (name) => readable(name, async () => new Uint8Array(await (await fileAt(name)).arrayBuffer())),
    readRange: (name, offset, length) =>
      readable(name, async () => {
        const part = (await fileAt(name)).slice(offset, offset + length);
        if (part.size < length) throw new Error("the file ends too early");
        return new Uint8Array(await part.arrayBuffer());
      }),
    async size(name) {
      try {
        return (await fileAt(name)).size;
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw new ClipInterpretError("INPUT_UNREADABLE", `cannot read ${where}/${name}`, { cause });
      }
    },
    put: (name, chunks) =>
      written(name, async () => {
        const steps = stepsOf(name);
        const folder = await folderAt(steps.slice(0, -1), true);
        // It takes the place of what was there when it is closed.
        const file = await (await folder.getFileHandle(steps.at(-1)!, { create: true })).createWritable();
        for (const chunk of chunks) await file.write(chunk as Uint8Array<ArrayBuffer>);
        await file.close();
      }),
    async putFolder(name, files) {
      await store.remove(name);
      for (const [file, chunks] of files) await store.put(`${name}/${file}`, chunks);
    },
    async list(name) {
      const names: string[] = [];
      try {
        for await (const key of (await folderAt(stepsOf(name))).keys()) names.push(key);
      } catch (cause) {
        if (!isMissing(cause)) throw cause;
      }
      return names;
    },
    remove: (name) =>
      written(name, async () => {
        const steps = stepsOf(name);
        try {
          const folder = await folderAt(steps.slice(0, -1));
          await folder.removeEntry(steps.at(-1)!, { recursive: true });
        } catch (cause) {
          if (!isMissing(cause)) throw cause;
        }
      }),
    within: (name) => storeIn(root, `${where}/${name}`, `${prefix}/${name}`),
  };
  return store;
}

/** A file or folder that is not there, or whose place one of the other kind has. */
const isMissing = (cause: unknown) =>
  cause instanceof DOMException && (cause.name === "NotFoundError" || cause.name === "TypeMismatchError");
