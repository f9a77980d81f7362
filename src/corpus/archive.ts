/**
 * Tar archives as data sets are kept in (webdataset): files of a sample follow one another and share their name up to the
 * first dot. What is read of an archive are its headers and the small files; pictures are read when their turn comes.
 */
import type { Store } from "./store.ts";

/** A file in an archive. */
export interface Member {
  readonly name: string;
  /** Where its bytes start. */
  readonly offset: number;
  readonly length: number;
}

/** Says where an archive stops making sense. */
export class ArchiveDamaged extends Error {}

const BLOCK = 512;
/** Read at a time: headers of small samples come many to a piece. */
const PIECE = 1 << 18;
/** A name longer than any file system's. */
const MOST_NAME = 65_536;

/** Reads parts of a file that lie close to one another with few requests. */
export function readerOf(store: Store, file: string, size: number) {
  let start = 0;
  let piece: Buffer = Buffer.alloc(0);
  return async (offset: number, length: number): Promise<Buffer> => {
    if (offset + length > size) throw new ArchiveDamaged(`it ends at byte ${size}, in the middle of a file`);
    if (offset < start || offset + length > start + piece.length) {
      start = offset;
      piece = await store.readRange(file, offset, Math.min(size - offset, Math.max(length, PIECE)));
    }
    return piece.subarray(offset - start, offset - start + length);
  };
}

/**
 * The regular files of an archive, in order.
 * @throws {@link ArchiveDamaged} after those that come before the damage; what reading a store throws
 */
export async function* membersOf(
  read: (offset: number, length: number) => Promise<Buffer>,
  size: number,
): AsyncGenerator<Member, void, undefined> {
  let longName: string | undefined;
  let extended: ReadonlyMap<string, string> = new Map();
  for (let at = 0; at < size; ) {
    const header = await read(at, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!hasItsSum(header)) throw new ArchiveDamaged(`what stands at byte ${at} is no header`);
    const kind = String.fromCharCode(header[156]);
    const length = extended.has("size") ? Number(extended.get("size")) : numberOf(header.subarray(124, 136));
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ArchiveDamaged(`the header at byte ${at} has no length`);
    const offset = at + BLOCK;
    if (offset + length > size) throw new ArchiveDamaged(`it ends at byte ${size}, in the middle of a file`);
    at = offset + Math.ceil(length / BLOCK) * BLOCK;
    if (kind === "L" || kind === "x" || kind === "g") {
      if (length > MOST_NAME) throw new ArchiveDamaged(`the header at byte ${offset - BLOCK} is too long`);
      const text = (await read(offset, length)).toString("utf8");
      if (kind === "L") longName = text.replace(/\0.*$/s, "");
      if (kind === "x") extended = recordsOf(text);
      continue;
    }
    const name = extended.get("path") ?? longName ?? nameOf(header);
    [longName, extended] = [undefined, new Map()];
    // Others are folders, links and devices.
    if ((kind === "0" || kind === "\0" || kind === "7") && name !== "") yield { name, offset, length };
  }
}

const textOf = (bytes: Buffer): string => bytes.toString("utf8").replace(/\0.*$/s, "");

function nameOf(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix =
    header.subarray(257, 262).toString("latin1") === "ustar" ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Octal digits, or for what they cannot hold, the number itself in base 256. */
function numberOf(bytes: Buffer): number {
  if ((bytes[0] & 0x80) === 0) {
    const digits = textOf(bytes).trim();
    return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  }
  return bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, bytes[0] & 0x7f);
}

function hasItsSum(header: Buffer): boolean {
  let sum = 0;
  for (const [i, byte] of header.entries()) sum += i >= 148 && i < 156 ? 32 : byte;
  return numberOf(header.subarray(148, 156)) === sum;
}

/** The records of an extended header: "length key=value\n". */
function recordsOf(text: string): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(bytes.subarray(at, space).toString());
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at) break;
    const record = bytes.subarray(space + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
