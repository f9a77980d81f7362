import sharp, { type Metadata } from "sharp";
import { Binary } from "../support/binary.ts";
import { readInput } from "../support/files.ts";
import { withPixels } from "./budget.ts";
import { decodeChecked, isDark, type OpenFormat, openChecked, sourceName } from "./checked.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { imageFormat } from "./format.ts";
import { openHeic } from "./heic.ts";
import { CHANNELS, type DecodedImage, type ImageMode, type OpenedImage } from "./pixels.ts";
import { PLAIN_READERS } from "./plain-readers.ts";
import { JPEG_IN_TIFF, PALETTE_COLOURS, readTiffTag, TIFF_TAGS, YCBCR } from "./tiff-tags.ts";

/** Formats that are read here, and not by sharp: those it does not know, and GIF, whose indices it throws away. */
const OWN: Readonly<Record<string, (file: Binary) => OpenedImage | Promise<OpenedImage>>> = {
  ...PLAIN_READERS,
  HEIC: openHeic,
};

/** True for a picture that sharp does not read, or not as a model is shown it. */
export const isReadHere = (file: Uint8Array): boolean => imageFormat(file)!.name in OWN;

/**
 * Decodes a picture (its first frame, or its main one) to 8-bit pixels in the mode in which Pillow would open it, ignoring
 * colour profiles as Pillow does: JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP, PBM, PGM and PPM, known by how they begin.
 * 16-bit samples keep their high byte; gray with alpha comes as RGBA with equal colours, which Pillow's arithmetic
 * cannot tell apart.
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
 */
export function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<DecodedImage> {
  return withDecoded(source, options, (image) => image);
}

/**
 * Does something with a picture's pixels, and counts them among those that are decoded at a time until it is done.
 * @throws as {@link decodeImage}
 */
export async function withDecoded<T>(
  source: string | Uint8Array,
  options: DecodeOptions,
  use: (image: DecodedImage) => T | Promise<T>,
): Promise<T> {
  const name = options.name ?? sourceName(source);
  const opened = await openImage(source, { ...options, name });
  return withPixels(opened.width * opened.height, async () =>
    use(await decodeChecked(opened, { ...options, name })),
  );
}

/**
 * A picture's size as {@link decodeImage} will give it, from its header alone.
 * @throws as {@link decodeImage}; damage behind the header is not found
 */
export async function readImageSize(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<{ width: number; height: number }> {
  const { width, height } = await openImage(source, options);
  return { width, height };
}

async function openImage(
  source: string | Uint8Array,
  { name = sourceName(source), ...options }: DecodeOptions,
): Promise<OpenedImage> {
  const file = typeof source === "string" ? await readInput(source) : source;
  const open: OpenFormat = (bytes, format, exif) =>
    OWN[format]?.(bytes) ?? openWithSharp(bufferOver(bytes), format, exif);
  return openChecked(file, open, { ...options, name });
}

/** The same memory, as sharp takes it. */
const bufferOver = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

async function openWithSharp(file: Buffer, format: string, exif: boolean): Promise<OpenedImage> {
  // A header may claim anything; the limit is checked where the message can name the size.
  const metadata = await sharp(file, { limitInputPixels: false }).metadata();
  if (metadata.depth !== "uchar" && metadata.depth !== "ushort")
    throw new Error(`its samples are of type ${metadata.depth}; 8 and 16 bits are read`);
  // Pillow turns every TIFF when it loads it.
  const upright = exif || format === "TIFF";
  const mode = format === "TIFF" ? tiffMode(metadata, file) : modeOf(metadata, file);
  const { width, height } = upright ? metadata.autoOrient : metadata;
  return { width, height, decode: () => decodeWithSharp(file, mode, upright, metadata.depth === "ushort") };
}

/** The mode in which Pillow opens the image. */
function modeOf(metadata: Metadata, bytes: Uint8Array): ImageMode {
  if (metadata.space === "cmyk" && metadata.channels === 4) return "CMYK";
  if (metadata.isPalette || metadata.bitsPerSample === 1) return "P";
  // PNG colour types 0 and 2 (byte 25) have no alpha channel, at most one transparent colour, which libvips
  // expands to alpha and Pillow leaves alone.
  const keyed = metadata.format === "png" && (bytes[25] === 0 || bytes[25] === 2);
  if (metadata.hasAlpha && !keyed) return "RGBA";
  // 16-bit gray goes through RGB, with equal colours: libvips does not narrow it by the high byte otherwise.
  return metadata.channels === 1 && metadata.depth === "uchar" ? "L" : "RGB";
}

/** The same of a TIFF. */
function tiffMode(metadata: Metadata, file: Buffer): ImageMode {
  const photometric = readTiffTag(Binary.over(file), TIFF_TAGS.photometric);
  if (photometric === PALETTE_COLOURS) return "P";
  const compression = readTiffTag(Binary.over(file), TIFF_TAGS.compression) ?? 1;
  if (photometric === YCBCR && !JPEG_IN_TIFF.includes(compression))
    throw new Error(
      "TIFFs of YCbCr colours are read only where they hold a JPEG; save it again with RGB colours",
    );
  return modeOf(metadata, file);
}

async function decodeWithSharp(
  bytes: Buffer,
  mode: ImageMode,
  upright: boolean,
  deep: boolean,
): Promise<DecodedImage> {
  // "error" refuses what is cut off or damaged, and lets pass what viewers let pass (junk after the end).
  const image = sharp(bytes, {
    ignoreIcc: true,
    failOn: "error",
    limitInputPixels: false,
    autoOrient: upright,
  });
  if (mode === "CMYK") image.pipelineColourspace("cmyk").toColourspace("cmyk");
  else if (mode === "L") image.toColourspace("b-w");
  else if (mode !== "RGBA") image.removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== CHANNELS[mode]) throw new Error(`${info.channels} channels are not supported`);
  const decoded = { mode, width: info.width, height: info.height, data };
  return deep && isDark(decoded) ? { ...decoded, dark: true } : decoded;
}
