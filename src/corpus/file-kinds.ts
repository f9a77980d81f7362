/** What a file of a folder is, told by its name, its entry on the disk and, where these do not say it, how it begins. */
import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { inputError } from "../support/files.ts";
import {
  FORMAT_HEAD,
  isContainer,
  judge,
  kindOf,
  mayBePicture,
  needsHead,
  type Refusal,
  type SeenFile,
} from "./picture-names.ts";

/**
 * Looks at a file below a folder: a picture, one that is refused or cannot be reached, or a kind of what is no picture.
 * @param named whether it was named as a picture: then it is one, whatever it is called, until it is decoded
 */
export async function lookAt(path: string, named: true): Promise<SeenFile>;
export async function lookAt(path: string): Promise<SeenFile | { readonly kind: string }>;
export async function lookAt(path: string, named = false): Promise<SeenFile | { readonly kind: string }> {
  if (!named && !isContainer(path) && !mayBePicture(path)) return { kind: kindOf(path) };
  try {
    const entry = await stat(path);
    if (!named && entry.isDirectory()) return { kind: "link to a folder" };
    const seen = { bytes: entry.isFile() ? entry.size : 0, mtime: Math.trunc(entry.mtimeMs) };
    // Never opened: what reads a pipe or a device may wait for ever.
    if (!entry.isFile()) {
      const message = `cannot decode ${path}: it is ${whatIs(entry)}, not a file`;
      return { ...seen, refused: { code: "IMAGE_UNREADABLE", message } };
    }
    return judge(path, seen, needsHead(path) ? await headOf(path) : undefined, named);
  } catch (cause) {
    const { code, message } = inputError(path, cause);
    const hint = path.includes("\ufffd") ? " (its name is not UTF-8: give it another)" : "";
    return { bytes: 0, unread: { code, message: message + hint } };
  }
}

function whatIs(entry: Stats): string {
  if (entry.isDirectory()) return "a folder";
  if (entry.isFIFO()) return "a pipe";
  return entry.isSocket() ? "a socket" : "a device";
}

/** The beginning of a file; it is not waited for, should a pipe have taken its place. */
async function headOf(path: string): Promise<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const head = Buffer.alloc(FORMAT_HEAD);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Why a file cannot be opened and read now; undefined if it can. */
export async function whyUnreadable(path: string): Promise<Refusal | undefined> {
  try {
    await headOf(path);
    return undefined;
  } catch (cause) {
    return inputError(path, cause);
  }
}
