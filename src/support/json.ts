import { ClipInterpretError, messageOf } from "./errors.ts";

/** What to do about a file of which git fetched only a note of where it is. */
export const LFS_HINT =
  "The clone was made without git-lfs: install it and run `git lfs pull` in the clone, or fetch the file itself.";

const LFS_START = new TextEncoder().encode("version https://git-lfs.github.com/spec/");

/** True for the bytes of a Git LFS pointer, which is where the file should be in a clone without git-lfs. */
export const isLfsPointer = (start: Uint8Array): boolean => LFS_START.every((byte, i) => byte === start[i]);

/** Parses the bytes of a JSON file, with or without a byte-order mark. @throws `JSON_INVALID` */
export function parseJson(bytes: Uint8Array, path: string): unknown {
  if (isLfsPointer(bytes))
    throw new ClipInterpretError("JSON_INVALID", `${path} is a Git LFS pointer, not the JSON file`, {
      hint: LFS_HINT,
    });
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ClipInterpretError("JSON_INVALID", `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
