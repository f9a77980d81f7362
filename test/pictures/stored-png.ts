import type { Picture } from "../../src/views/kit/svg.ts";

/** A picture with its pixels, [height, width, 3]. */
export interface Drawn extends Picture {
  readonly rgb: Uint8Array;
}

type Rgb = readonly [red: number, green: number, blue: number];

/** A picture of these pixels whose PNG has the same bytes on every machine: nothing in it is compressed. */
export function drawn(rgb: Uint8Array, width: number, height: number): Drawn {
  return { rgb, width, height, png: storedPng(rgb, width, height) };
}

/** A landscape with a ball before it: easy to see which side is up, what is left, and where the ball is. */
export function scene(width: number, height: number, { ball = "#d02020", sky = "#9cc8f0" } = {}): Drawn {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      rgb.set(colourAt((x + 0.5) / width, (y + 0.5) / height), (y * width + x) * 3);
  }
  return drawn(rgb, width, height);

  function colourAt(across: number, down: number): Rgb {
    const square = Math.max(width, height);
    const from = (x: number, y: number) =>
      (((across - x) * width) / square) ** 2 + (((down - y) * height) / square) ** 2;
    if (from(0.3, 0.62) < 0.04) return channels(ball);
    if (from(0.8, 0.22) < 0.012) return [255, 225, 90];
    if (down > 0.68) return [70 + Math.round(60 * across), 130, 60];
    return channels(sky).map((channel) =>
      Math.round(channel + (255 - channel) * down * 0.8),
    ) as unknown as Rgb;
  }
}

const channels = (hex: string): Rgb => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];

/** PNG specification, §5 (chunks) and §10 (zlib), with the stored blocks of RFC 1951. */
function storedPng(rgb: Uint8Array, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const stride = 3 * width;
  const raw = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) raw.set(rgb.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", stored(raw)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function stored(raw: Buffer): Buffer {
  const blocks: Buffer[] = [Buffer.from([0x78, 0x01])];
  for (let start = 0; start < raw.length; start += 0xffff) {
    const block = raw.subarray(start, start + 0xffff);
    const head = Buffer.alloc(5);
    head[0] = start + block.length === raw.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(0xffff - block.length, 3);
    blocks.push(head, block);
  }
  let [a, b] = [1, 0];
  for (const byte of raw) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return Buffer.concat([...blocks, word(b * 65536 + a)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  return Buffer.concat([word(data.length), named, word(crc32(named))]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
