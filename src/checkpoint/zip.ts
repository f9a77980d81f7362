import type { Binary } from "../support/binary.ts";
import { quoted, type WeightSource } from "./weight-source.ts";

/** A file in a zip archive, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Its bytes lie in the file as they are: neither compressed nor encrypted. */
  readonly stored: boolean;
  /** Where its local header starts. */
  readonly header: number;
  /** Where the next entry or the central directory starts: nothing of this one may lie beyond. */
  readonly limit: number;
}

/** Sizes that torch.save stays far below: a checkpoint has some thousand entries of 100 bytes. */
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const MAX_COMMENT_BYTES = 0xffff;
const U16 = 0xffff;
const U32 = 0xffffffff;

/**
 * Reads a zip archive's central directory (ZIP64 too) and checks it against the file: entries in bounds, none twice,
 * none overlapping. Stricter than the format: nothing may be before, between or behind what the directory claims.
 *
 * @returns the entries by name, in the order they lie in the file
 * @throws `CHECKPOINT_INVALID`
 */
export async function readZipDirectory(source: WeightSource): Promise<Map<string, ZipEntry>> {
  const { count, start, length } = await readEnd(source);
  if (length > MAX_DIRECTORY_BYTES) throw source.fail(`its zip directory claims ${length} bytes`);
  const bytes = await source.read(start, length);
  const found: Omit<ZipEntry, "limit">[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || bytes.readUInt32LE(at) !== 0x02014b50) {
      throw source.fail(`entry ${i} of its zip directory is damaged`);
    }
    const end = at + 46 + [28, 30, 32].reduce((sum, field) => sum + bytes.readUInt16LE(at + field), 0);
    if (end > length) throw source.fail(`entry ${i} of its zip directory is cut off`);
    found.push(parseEntry(bytes.subarray(at, end), source));
    at = end;
  }
  if (at !== length) throw source.fail("its zip directory has another length than it claims");
  const entries = new Map<string, ZipEntry>();
  const sorted = found.sort((a, b) => a.header - b.header);
  for (const [i, entry] of sorted.entries()) {
    const limit = sorted[i + 1]?.header ?? start;
    if (entries.has(entry.name)) throw source.fail(`its zip directory names ${quoted(entry.name)} twice`);
    if (entry.header + 30 + entry.size > limit) {
      throw source.fail(`entry ${quoted(entry.name)} of its zip directory overlaps what follows it`);
    }
    entries.set(entry.name, { ...entry, limit });
  }
  return entries;
}

/**
 * Where an entry's bytes start in the file: behind its local header, which may be longer than the directory says
 * (torch pads it to align the data).
 *
 * @throws `CHECKPOINT_INVALID` when it is compressed or its header is damaged
 */
export async function locateEntry(source: WeightSource, entry: ZipEntry): Promise<number> {
  const damaged = () => source.fail(`the zip header of ${quoted(entry.name)} is damaged`);
  if (!entry.stored) {
    throw source.fail(`${quoted(entry.name)} is compressed, so it cannot be read where it lies`, {
      hint: "torch.save compresses nothing: save it again with torch.save, or convert it to safetensors.",
    });
  }
  const name = new TextEncoder().encode(entry.name);
  const header = await source.read(entry.header, 30 + name.length);
  if (header.readUInt32LE(0) !== 0x04034b50 || header.readUInt16LE(26) !== name.length) throw damaged();
  if (!header.subarray(30).equals(name)) throw damaged();
  const data = entry.header + header.length + header.readUInt16LE(28);
  if (data + entry.size > entry.limit) throw damaged();
  return data;
}

/** Finds the end of the archive, and in it where the central directory lies. */
async function readEnd(source: WeightSource): Promise<{ count: number; start: number; length: number }> {
  const { fail, size } = source;
  const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await source.read(tailStart, size - tailStart);
  // From the back; a comment must reach exactly to the end of the file.
  let at = tail.length - END_BYTES;
  while (
    at >= 0 &&
    (tail.readUInt32LE(at) !== 0x06054b50 || at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length)
  ) {
    at--;
  }
  if (at < 0) throw fail("is not a whole zip archive; cut off, or not saved by torch.save");
  const end = tailStart + at;
  const classic = {
    count: tail.readUInt16LE(at + 10),
    length: tail.readUInt32LE(at + 12),
    start: tail.readUInt32LE(at + 16),
  };
  const locator = end >= LOCATOR_BYTES ? await source.read(end - LOCATOR_BYTES, LOCATOR_BYTES) : undefined;
  if (locator?.readUInt32LE(0) !== 0x07064b50) return checkEnd(source, classic, end);
  const end64 = Number(locator.readBigUInt64LE(8));
  const record = await source.read(end64, 56);
  const directory = {
    count: Number(record.readBigUInt64LE(32)),
    length: Number(record.readBigUInt64LE(40)),
    start: Number(record.readBigUInt64LE(48)),
  };
  const agrees = (narrow: number, wide: number, full: number) => narrow === full || narrow === wide;
  if (
    record.readUInt32LE(0) !== 0x06064b50 ||
    end64 + 12 + Number(record.readBigUInt64LE(4)) !== end - LOCATOR_BYTES ||
    !agrees(classic.count, directory.count, U16) ||
    !agrees(classic.length, directory.length, U32) ||
    !agrees(classic.start, directory.start, U32)
  ) {
    throw fail("its zip directory contradicts itself (ZIP64)");
  }
  return checkEnd(source, directory, end64);
}

function checkEnd(
  { fail }: WeightSource,
  directory: { count: number; start: number; length: number },
  end: number,
) {
  if (directory.start + directory.length !== end)
    throw fail("its zip directory is not where it claims to be");
  return directory;
}

/** @param record one whole record of the central directory */
function parseEntry(record: Binary, { fail }: WeightSource): Omit<ZipEntry, "limit"> {
  const nameEnd = 46 + record.readUInt16LE(28);
  const name = record.utf8(46, nameEnd);
  const wide = wideFields(record.subarray(nameEnd, nameEnd + record.readUInt16LE(30)));
  // A field that is all ones is in the ZIP64 extra instead, in this order.
  const [size, packed, header] = [24, 20, 42].map((field) => {
    const narrow = record.readUInt32LE(field);
    const value = narrow === U32 ? wide.shift() : narrow;
    if (value === undefined) throw fail(`entry ${quoted(name)} of its zip directory has no size or place`);
    return value;
  });
  const stored = record.readUInt16LE(10) === 0 && (record.readUInt16LE(8) & 1) === 0;
  if (stored && size !== packed) {
    throw fail(`entry ${quoted(name)} of its zip directory contradicts itself about its size`);
  }
  // What lies in the file counts for overlaps; of a compressed entry nothing else is ever read.
  return { name, size: packed, stored, header };
}

/** The 8-byte numbers of the ZIP64 extra field (id 1), or none. */
function wideFields(extra: Binary): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1 && end <= extra.length) {
      const fields = Math.floor((end - at - 4) / 8);
      return Array.from({ length: fields }, (_, i) => Number(extra.readBigUInt64LE(at + 4 + 8 * i)));
    }
    at = end;
  }
  return [];
}
