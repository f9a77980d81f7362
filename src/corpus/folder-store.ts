import { randomBytes } from "node:crypto";
import { link, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withLock } from "../hub/lock.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { guardWrite, inputError, makeFolder, putInPlace, writeWhole } from "../support/files.ts";
import { indexChanged, type Store } from "./store.ts";

/** A store in a folder of the file system. Files are synced before they get their names. */
export function folderStore(root: string): Store {
  const path = (name: string) => join(root, name);
  const store: Store = {
    where: root,
    shared: false,
    journal: path("journal"),
    async read(name) {
      return store.readRange(name, 0, (await store.size(name)) ?? 0);
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
    version: (name) =>
      unlessMissing(
        path(name),
        async () => {
          const { mtimeNs, size, ino } = await stat(path(name), { bigint: true });
          return [mtimeNs, size, ino].join("-");
        },
        undefined,
      ),
    // One process writes to an index, so that what it left when it was killed has a name that is known.
    put: (name, chunks) => writeWhole(path(name), chunks, { part: `${path(name)}.part` }),
    claim: (name, chunks) =>
      guardWrite(path(name), async () => {
        const own = `${path(name)}.${randomBytes(4).toString("hex")}.part`;
        await makeFolder(dirname(own));
        try {
          await writeWhole(own, chunks);
          await link(own, path(name));
          return true;
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
          throw cause;
        } finally {
          await rm(own, { force: true });
        }
      }),
    putFolder: (name, files) =>
      guardWrite(path(name), async () => {
        const partial = `${path(name)}.part`;
        await rm(partial, { recursive: true, force: true });
        for (const [file, chunks] of files) await writeWhole(join(partial, file), chunks);
        await rm(path(name), { recursive: true, force: true });
        await putInPlace(partial, path(name));
      }),
    list: (name) => unlessMissing(path(name), () => readdir(path(name)), []),
    async *files(name) {
      const entries = await unlessMissing(path(name), () => readdir(path(name), { withFileTypes: true }), []);
      for (const entry of entries) {
        if (entry.isFile()) {
          yield { name: entry.name, size: (await store.size(join(name, entry.name))) ?? 0 };
          continue;
        }
        if (!entry.isDirectory()) continue;
        for await (const file of store.files(join(name, entry.name)))
          yield { ...file, name: `${entry.name}/${file.name}` };
      }
    },
    abandoned: (name) => store.list(name),
    remove: (name) => guardWrite(path(name), () => rm(path(name), { recursive: true, force: true })),
    within: (name) => folderStore(path(name)),
    async exclusive(work, options) {
      const lock = path(".lock");
      // Settled apart, so that only what happens to the lock is a failed write of the lock.
      const [outcome] = await guardWrite(lock, () =>
        withLock(lock, () => Promise.allSettled([work(guarded(store))]), options),
      );
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
  };
  return store;
}

/** A folder in which a file is replaced only while it is still what was last read of it. */
function guarded(store: Store): Store {
  /** Versions of files; null where there was none. */
  const seen = new Map<string, string | null>();
  const now = async (name: string) => (await store.version(name)) ?? null;
  return {
    ...store,
    async size(name) {
      const size = await store.size(name);
      if (size === undefined && !seen.has(name)) seen.set(name, null);
      return size;
    },
    async read(name) {
      const version = await now(name);
      const bytes = await store.read(name);
      seen.set(name, version);
      return bytes;
    },
    async put(name, chunks) {
      if (seen.has(name) && (await now(name)) !== seen.get(name)) throw indexChanged(store.where);
      await store.put(name, chunks);
      seen.set(name, await now(name));
    },
    async remove(name) {
      await store.remove(name);
      seen.delete(name);
    },
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
