/**
 * Where a picture of a source lies, and how its bytes are read: a file below a folder or in a store, a member of an archive,
 * or a row of a table. The path says all, so that whoever has an index's root and a row can read the picture again.
 */
import { join, posix } from "node:path";
import type { ReadLater } from "../image/pool.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { inputError } from "../support/files.ts";
import { whyUnreadable } from "./file-kinds.ts";
import type { Refusal } from "./picture-names.ts";
import { readTableImage } from "./source-table.ts";
import { isStoreAddress, storeAt } from "./store-at.ts";

/** A picture that is part of a file. */
export type Inside =
  | { readonly kind: "member"; readonly file: string; readonly offset: number; readonly length: number }
  | { readonly kind: "row"; readonly file: string; readonly row: number };

/** The path of a member of an archive: `00000.tar#1536+20431/000012.jpg`, by the place and length of its bytes. */
export const memberPath = (file: string, offset: number, length: number, name: string): string =>
  `${file}#${offset}+${length}/${name}`;

/** The path of an image in a row of a table: `00000.parquet#17/key`. */
export const rowPath = (file: string, row: number, name: string): string => `${file}#${row}/${name}`;

/** What a path says of a picture inside of a file; undefined for one that is a file. */
export function insideOf(path: string): Inside | undefined {
  const member = /^(.+?\.tar)#(\d{1,15})\+(\d{1,10})\//i.exec(path);
  if (member)
    return { kind: "member", file: member[1], offset: Number(member[2]), length: Number(member[3]) };
  const row = /^(.+?\.parquet)#(\d{1,12})\//i.exec(path);
  return row ? { kind: "row", file: row[1], row: Number(row[2]) } : undefined;
}

/** Where a file below a root lies: a path, or an address. */
export const below = (root: string, path: string): string =>
  isStoreAddress(root) ? `s3:/${posix.join(root.slice("s3:/".length), path)}` : join(root, path);

/** A picture as the encoder takes it: a path, where that is all it is, or what reads its bytes when its turn comes. */
export function pictureOf(root: string, path: string): string | ReadLater {
  return insideOf(path) || isStoreAddress(root) ? () => readPicture(root, path) : join(root, path);
}

/** The bytes of a picture. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `STORE_DENIED`, `STORE_UNREACHABLE`; what a fetch throws */
export async function readPicture(root: string, path: string): Promise<Buffer> {
  const store = storeAt(root);
  const inside = insideOf(path);
  if (!inside) {
    const size = await store.size(path);
    if (size !== undefined && size > MOST_BYTES) {
      throw new ClipInterpretError("IMAGE_TOO_LARGE", `${path} has ${size} bytes`);
    }
    return store.read(path);
  }
  if (inside.kind === "row") return readTableImage(store, inside.file, inside.row);
  return store.readRange(inside.file, inside.offset, inside.length);
}

/** Why a picture cannot be read now; undefined if it can. */
export async function whyUnreachable(root: string, path: string): Promise<Refusal | undefined> {
  const inside = insideOf(path);
  if (!inside && !isStoreAddress(root)) return whyUnreadable(join(root, path));
  try {
    const size = await storeAt(root).size(inside?.file ?? path);
    return size === undefined
      ? { code: "INPUT_NOT_FOUND", message: `no such file: ${below(root, path)}` }
      : undefined;
  } catch (error) {
    return inputError(path, error);
  }
}

/** Bytes of a picture that is read into memory whole. */
const MOST_BYTES = 256e6;
