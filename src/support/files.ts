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

/** Reads and parses a JSON file, with or without a byte-order mark; `JSON_INVALID` when it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readInput(path), path);
}

/** The same of a file that was read already. @throws `JSON_INVALID` */
export function parseJson(bytes: Buffer, path: string): unknown {
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
