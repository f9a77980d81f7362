/** A file to put into an archive. `compressed` only says so: the bytes are written as they are. */
export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
  readonly compressed?: boolean;
  /** Sizes and place as 8-byte numbers in the ZIP64 extra field; `wide` replaces what it says. */
  readonly wide?: boolean | readonly (number | bigint)[];
}

const u16 = (value: number) => Buffer.from([value & 255, (value >> 8) & 255]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

/**
 * Writes a zip archive, the files one after another and unaligned.
 * @param zip64 ends with ZIP64 records; `zip64` numbers replace the [count, length, start] that they say
 */
export function writeZip(
  files: readonly ZipFile[],
  { zip64, comment = "" }: { zip64?: boolean | readonly (number | bigint)[]; comment?: string } = {},
): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, compressed, wide } of files) {
    const method = u16(compressed ? 8 : 0);
    const body = Buffer.concat([
      ...[u32(0x04034b50), u16(20), u16(0), method, u32(0), u32(0), u32(data.length), u32(data.length)],
      ...[u16(Buffer.byteLength(name)), u16(0), Buffer.from(name), data],
    ]);
    const fields = wide === true ? [data.length, data.length, at] : wide || [];
    const extra = wide
      ? Buffer.concat([u16(1), u16(8 * fields.length), ...fields.map(u64)])
      : Buffer.alloc(0);
    const narrow = (value: number) => u32(wide ? 0xffffffff : value);
    directory.push(
      ...[u32(0x02014b50), u16(20), u16(20), u16(0), method, u32(0), u32(0)],
      ...[narrow(data.length), narrow(data.length), u16(Buffer.byteLength(name)), u16(extra.length), u16(0)],
      ...[u16(0), u16(0), u32(0), narrow(at), Buffer.from(name), extra],
    );
    bodies.push(body);
    at += body.length;
  }
  const central = Buffer.concat(directory);
  const [count, length, start] = Array.isArray(zip64) ? zip64 : [files.length, central.length, at];
  const end64 = [
    ...[u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0), u64(count), u64(count), u64(length)],
    ...[u64(start), u32(0x07064b50), u32(0), u64(at + central.length), u32(1)],
  ];
  const end = [
    ...[u32(0x06054b50), u16(0), u16(0), u16(files.length), u16(files.length), u32(central.length)],
    ...[u32(at), u16(comment.length), Buffer.from(comment)],
  ];
  return Buffer.concat([...bodies, central, ...(zip64 ? end64 : []), ...end]);
}
