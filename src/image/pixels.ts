/**
 * How pixels are stored, named as Pillow names it, since the mode decides how Pillow resizes:
 * `L` gray, `RGB`, `RGBA`, `CMYK` (0 = no ink), and `P` for indexed or 1-bit images, whose samples are
 * here already looked up as RGB but which Pillow resizes by nearest neighbour.
 */
export type ImageMode = "L" | "P" | "RGB" | "RGBA" | "CMYK";

/** Interleaved samples per pixel of each mode. */
export const CHANNELS = { L: 1, P: 3, RGB: 3, RGBA: 4, CMYK: 4 } as const satisfies Record<ImageMode, number>;

/** 8-bit pixels: `data` is [height, width, CHANNELS[mode]] in C order. */
export interface DecodedImage {
  readonly mode: ImageMode;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Samples of 16 bits use 12 of them or fewer, as those of some cameras and scanners: it is not what its maker saw. */
  readonly dark?: true;
}

/** An image whose header was read: its size is known before memory is taken for its pixels. */
export interface OpenedImage {
  /** As the pixels will come, upright where they are turned. */
  readonly width: number;
  readonly height: number;
  /** @throws Error where the pixels are damaged */
  readonly decode: () => DecodedImage | Promise<DecodedImage>;
  /** Lets go of what is held for decoding, where that is not asked for. */
  readonly close?: () => void;
}

/**
 * Pillow's palette image: colours are looked up, and indices past the palette's end are black.
 * @param palette RGB, three bytes a colour
 */
export function fromPalette(
  width: number,
  height: number,
  indices: Uint8Array,
  palette: Uint8Array,
): DecodedImage {
  const data = new Uint8Array(indices.length * 3);
  for (let i = 0, out = 0; i < indices.length; i++) {
    const from = indices[i]! * 3;
    for (let c = 0; c < 3; c++) data[out++] = palette[from + c] ?? 0;
  }
  return { mode: "P", width, height, data };
}

/** True for a palette whose colour i is the gray i, which Pillow takes for no palette. */
export function isGrayRamp(palette: Uint8Array): boolean {
  return palette.every((value, i) => value === Math.trunc(i / 3));
}

/** Pillow's `convert("RGB")`: gray is repeated, alpha dropped, CMYK as `cmyk2rgb` (no colour profile). */
export function toRgb<Data extends Uint8Array>(mode: ImageMode, data: Data): Data | Uint8Array<ArrayBuffer> {
  if (mode === "RGB" || mode === "P") return data;
  const channels = CHANNELS[mode];
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, out = 0; i < data.length; i += channels) {
    for (let c = 0; c < 3; c++)
      rgb[out++] = mode === "CMYK" ? inkToLight(data, i, c) : data[i + (c % channels)]!;
  }
  return rgb;
}

/** (255 − ink)·(255 − black)/255 in Pillow's rounding: 255 − k − MULDIV255(ink, 255 − k). */
function inkToLight(data: Uint8Array, pixel: number, channel: number): number {
  const light = 255 - data[pixel + 3]!;
  const product = data[pixel + channel]! * light + 128;
  return Math.max(light - (((product >> 8) + product) >> 8), 0);
}
