import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ClipInterpretError } from "./errors.ts";
import { guardWrite, inputError, isFolder, makeFolder, putInPlace } from "./files.ts";
import { formatNpyHeader, parseNpyHeader } from "./npy-header.ts";

/** A float32 `.npy` file too large to hold in memory, read by rows of its first axis. */
export interface NpyRows {
  readonly shape: readonly number[];
  /** Rows `start … start + count`. */
  read(start: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const HEADER_BYTES = 1 << 16;

/**
 * Opens a float32 array with the given number of axes.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `NPY_INVALID`
 */
export async function openNpyRows(path: string, rank: number): Promise<NpyRows> {
  const handle = await open(path).catch((cause) => Promise.reject(inputError(path, cause)));
  try {
    const start = Buffer.alloc(HEADER_BYTES);
    const [{ bytesRead }, { size }] = [await handle.read(start, 0, HEADER_BYTES, 0), await handle.stat()];
    const { shape, descr, dataStart } = parseNpyHeader(start.subarray(0, bytesRead), size, path);
    if (descr !== "<f4" || shape.length !== rank) {
      const has = `'${descr}' [${shape.join(", ")}]`;
      throw new ClipInterpretError(
        "NPY_INVALID",
        `${path}: needs float32 ('<f4') with ${rank} axes, has ${has}`,
      );
    }
    const rowLength = shape.slice(1).reduce((product, dim) => product * dim, 1);
    return {
      shape,
      async read(row, count) {
        const rows = new Float32Array(count * rowLength);
        const bytes = new Uint8Array(rows.buffer);
        for (let done = 0; done < bytes.length; ) {
          const position = dataStart + row * rowLength * 4 + done;
          const chunk = await handle.read(bytes, done, Math.min(bytes.length - done, 1 << 30), position);
          if (chunk.bytesRead === 0)
            throw new ClipInterpretError("INPUT_UNREADABLE", `${path} was cut off while read`);
          done += chunk.bytesRead;
        }
        return rows;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error instanceof ClipInterpretError ? error : inputError(path, error);
  }
}

/** A float32 `.npy` file being written from start to end. It appears under its name when it is complete. */
export interface NpyWriter {
  append(data: Float32Array): Promise<void>;
  /** Renames the finished file into place. @throws RangeError when fewer or more values came than the shape says */
  finish(): Promise<void>;
  /** Removes what was written; harmless after `finish`. */
  discard(): Promise<void>;
}

/** Starts writing an array of the given shape. @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` */
export async function createNpyWriter(path: string, shape: readonly number[]): Promise<NpyWriter> {
  const partial = `${path}.partial`;
  const handle = await guardWrite(path, async () => {
    await makeFolder(dirname(path));
    // Found out now rather than at the rename, hours later.
    if (await isFolder(path)) throw new Error("a folder is in its place");
    const file = await open(partial, "w");
    try {
      await file.writeFile(formatNpyHeader("<f4", shape));
    } catch (cause) {
      await file.close();
      await rm(partial, { force: true });
      throw cause;
    }
    return file;
  });
  let remaining = shape.reduce((product, dim) => product * dim, 1);
  let open_ = true;
  return {
    append(data) {
      remaining -= data.length;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return guardWrite(path, () => handle.writeFile(bytes));
    },
    async finish() {
      if (remaining !== 0) throw new RangeError(`${path}: ${remaining} values missing`);
      await guardWrite(path, async () => {
        await handle.close();
        open_ = false;
        await putInPlace(partial, path);
      });
    },
    async discard() {
      if (open_) await handle.close();
      await rm(partial, { force: true });
    },
  };
}
