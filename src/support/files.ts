import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ClipInterpretError, messageOf } from "./errors.ts";

/** Reads a whole file; `INPUT_NOT_FOUND` or `INPUT_UNREADABLE` when that fails. */
export async function readInput(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw inputError(path, cause);
  }
}

/** The coded error for a failed read of `path`. */
export function inputError(path: string, cause: unknown): ClipInterpretError {
  const missing = ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
  return missing
    ? new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${path}`, { cause })
    : new ClipInterpretError("INPUT_UNREADABLE", `cannot read ${path}: ${messageOf(cause)}`, { cause });
}

/** What to do about a file of which git fetched only a note of where it is. */
export const LFS_HINT =
  "The clone was made without git-lfs: install it and run `git lfs pull` in the clone, or fetch the file itself.";

/** True for the bytes of a Git LFS pointer, which stands where the file should be in a clone without git-lfs. */
export const isLfsPointer = (start: Uint8Array): boolean =>
  Buffer.from(start.subarray(0, 64))
    .toString("latin1")
    .startsWith("version https://git-lfs.github.com/spec/");

/** Reads and parses a JSON file, with or without a byte-order mark; `JSON_INVALID` when it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readInput(path);
  if (isLfsPointer(bytes))
    throw new ClipInterpretError("JSON_INVALID", `${path} is a Git LFS pointer, not the JSON file`, {
      hint: LFS_HINT,
    });
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ClipInterpretError("JSON_INVALID", `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}

/** Writes a file, making its folder; `OUTPUT_UNWRITABLE` when that fails. */
export async function writeOutput(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data);
  } catch (cause) {
    throw new ClipInterpretError("OUTPUT_UNWRITABLE", `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
