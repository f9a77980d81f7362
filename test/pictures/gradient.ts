import { deflateSync } from "node:zlib";
import type { Picture } from "../../src/views/kit/svg.ts";

const SIDE = 8;

/** A small picture that a viewer can decode: a gradient from black to a hue. Stored, so that its bytes depend on no compressor. */
export function gradient(hue: readonly [red: number, green: number, blue: number]): Picture {
  const rows = Array.from({ length: SIDE }, (_, y) => [
    0,
    ...Array.from({ length: SIDE }, (_, x) =>
      hue.map((channel) => Math.round((channel * (x + y)) / (2 * SIDE - 2))),
    ).flat(),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  // Eight bits a channel, RGB.
  header.set([8, 2], 8);
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Uint8Array.from(rows.flat()), { level: 0 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { png, width: SIDE, height: SIDE };
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
