import { crc32, deflateSync } from "node:zlib";

/** A palette PNG of eight bits, as Pascal VOC's masks are stored: indices are numbers, colours are for the eye. */
export function indexedPng(width: number, height: number, indices: ArrayLike<number>): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const palette = Uint8Array.from({ length: 768 }, (_, i) => (i * 37) % 256);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indices[y * width + x];
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    ...[signature, chunk("IHDR", header), chunk("PLTE", palette), chunk("IDAT", deflateSync(rows))],
    chunk("IEND", new Uint8Array()),
  ]);
}
