import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ClipInterpretError } from "../support/errors.ts";
import { guardWrite, writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import type { Pictures } from "./drawing.ts";
import type { Limits } from "./limits.ts";

/** Uploaded images, by the hash of their bytes, so that an address of a page finds its picture again. */
export interface Uploads {
  /**
   * Keeps an image, if it is one.
   * @returns its SHA-256
   * @throws `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `DISK_FULL`
   */
  keep(bytes: Uint8Array): Promise<string>;
  /** @throws `IMAGE_GONE` */
  read(sha256: string): Promise<Buffer>;
}

const NAME = /^[0-9a-f]{64}$/;

/** Opens the folder of uploads: images of earlier runs are still there. */
export function openUploads(
  folder: string,
  pictures: Pictures,
  { keptBytes, keptImages, pixels }: Pick<Limits, "keptBytes" | "keptImages" | "pixels">,
): Uploads {
  // One change at a time, so that the count stays right.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    async keep(bytes) {
      await pictures.check({ bytes, maxPixels: pixels });
      const sha256 = sha256Of(bytes);
      await inTurn(() =>
        guardWrite(folder, async () => {
          await writeWhole(join(folder, sha256), bytes);
          await dropOldest(folder, keptBytes, keptImages, sha256);
        }),
      );
      return sha256;
    },
    async read(sha256) {
      if (!NAME.test(sha256)) throw gone();
      const path = join(folder, sha256);
      const bytes = await readFile(path).catch(() => Promise.reject(gone()));
      // A file that something else changed is not the picture that was uploaded.
      if (sha256Of(bytes) !== sha256) throw gone();
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      return bytes;
    },
  };
}

const gone = () =>
  new ClipInterpretError("IMAGE_GONE", "this uploaded picture is no longer kept on the server");

/** Removes the least recently used images until the rest fits; never `newest`. */
async function dropOldest(
  folder: string,
  mostBytes: number,
  mostImages: number,
  newest: string,
): Promise<void> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name));
  const files = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name)).catch(() => ({ size: 0, mtimeMs: 0 }));
      return { name, size, used: name === newest ? Number.POSITIVE_INFINITY : mtimeMs };
    }),
  );
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  let images = files.length;
  for (const { name, size } of files.sort((a, b) => a.used - b.used)) {
    if ((bytes <= mostBytes && images <= mostImages) || name === newest) return;
    await rm(join(folder, name), { force: true });
    bytes -= size;
    images--;
  }
}
