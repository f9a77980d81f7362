import sharp, { type Metadata } from "sharp";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { readInput } from "../support/files.ts";
import type { Report } from "../support/progress.ts";
import { openBmp } from "./bmp.ts";
import { withPixels } from "./budget.ts";
import { imageFormat } from "./format.ts";
import { openGif } from "./gif.ts";
import { openHeic } from "./heic.ts";
import { openNetpbm } from "./netpbm.ts";
import { CHANNELS, type DecodedImage, type ImageMode, type OpenedImage } from "./pixels.ts";
import { JPEG_IN_TIFF, PALETTE_COLOURS, readTiffTag, TIFF_TAGS, YCBCR } from "./tiff-tags.ts";

export interface DecodeOptions {
  /**
   * Turn the image upright by its EXIF orientation (default). The reference implementation ignores it, but for TIFF, which
   * is turned in any case.
   */
  readonly exif?: boolean;
  /** Images with more pixels are refused before any is decoded. Default 100 million. */
  readonly maxPixels?: number;
  /** What to call the image in messages; default: its path, or `image` for bytes. */
  readonly name?: string;
  /** Is told what should be known of a picture that is read all the same (`IMAGE_DARK`). */
  readonly report?: Report;
}

const MAX_PIXELS = 100e6;
/** The longest side that JPEG can have; one row of a longer one takes gigabytes in some decoders. */
const MAX_SIDE = 65_535;

/** Formats that are read here, and not by sharp: those it does not know, and GIF, whose indices it throws away. */
const OWN: Readonly<Record<string, (file: Buffer) => OpenedImage | Promise<OpenedImage>>> = {
  GIF: openGif,
  BMP: openBmp,
  PBM: openNetpbm,
  PGM: openNetpbm,
  PPM: openNetpbm,
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
  const { width, height, decode } = await openImage(source, options);
  return withPixels(width * height, async () => {
    const image = await coded(name, async () => decode());
    if (image.dark) options.report?.({ type: "warning", code: "IMAGE_DARK", message: `${name} ${DARK}` });
    return use(image);
  });
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

/** What error messages call a source that was given no name. */
export function sourceName(source: string | Uint8Array): string {
  return typeof source === "string" ? source : "image";
}

/** Reads a picture's header and checks its size, before memory is taken for its pixels. */
async function openImage(
  source: string | Uint8Array,
  { exif = true, maxPixels = MAX_PIXELS, name = sourceName(source) }: DecodeOptions,
): Promise<OpenedImage> {
  const file = typeof source === "string" ? await readInput(source) : source;
  const format = formatOf(file, name);
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const open = OWN[format] ?? ((given: Buffer) => openWithSharp(given, format, exif));
  const opened = await coded(name, async () => open(bytes));
  const { width, height } = opened;
  const tooLarge = (limit: string, hint?: string) =>
    new ClipInterpretError(
      "IMAGE_TOO_LARGE",
      `${name}: ${width}×${height} pixels, ${limit}`,
      hint ? { hint } : {},
    );
  if (Math.max(width, height) > MAX_SIDE)
    throw tooLarge(`the longest side is ${MAX_SIDE}`, "Make it smaller, or cut it into pieces.");
  if (width * height > maxPixels) throw tooLarge(`the limit is ${maxPixels}`);
  if (width < 1 || height < 1) throw unreadable(name, "it has no pixels");
  return opened;
}

/** The name of a picture's format. @throws `IMAGE_UNREADABLE` for no picture, `IMAGE_UNSUPPORTED` for another format */
function formatOf(file: Uint8Array, name: string): string {
  if (file.length === 0) throw unreadable(name, "the file is empty");
  const format = imageFormat(file);
  if (!format) throw unreadable(name, "it does not begin as a picture does");
  if (!format.readable)
    throw new ClipInterpretError(
      "IMAGE_UNSUPPORTED",
      `${name} is a picture in a format that is not read: ${format.name}`,
    );
  return format.name;
}

/** Gives what decoders throw a code. */
async function coded<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    throw unreadable(name, whyUnreadable(cause), cause);
  }
}

/** Why a decoder gave up, without the words that it has for its programmers. */
export function whyUnreadable(cause: unknown): string {
  // Our own readers run into the file's end where it is cut off.
  if (cause instanceof RangeError) return CUT_OFF;
  const [first = ""] = messageOf(cause).split("\n", 1);
  // Other libraries' words, behind the names of their functions.
  const why = first
    .replace(/^Input (buffer|file) has corrupt header: /, "")
    .replace(/^[\w#]*(vips|_buffer|source)\w*: /i, "");
  if (/premature end|unexpected end|bad seek/i.test(why)) return CUT_OFF;
  return why === first && !/^Input (buffer|file) /.test(first) ? why : "it is damaged or cut off";
}
const CUT_OFF = "the file is cut off";

function unreadable(name: string, why: string, cause?: unknown): ClipInterpretError {
  return new ClipInterpretError("IMAGE_UNREADABLE", `cannot decode ${name}: ${why}`, { cause });
}

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
  const photometric = readTiffTag(file, TIFF_TAGS.photometric);
  if (photometric === PALETTE_COLOURS) return "P";
  const compression = readTiffTag(file, TIFF_TAGS.compression) ?? 1;
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

const DARK = "has samples of 16 bits that use 12 of them or fewer, and is shown all but black";

/** True where no colour reaches a sixteenth of the full range. */
function isDark({ mode, data }: DecodedImage): boolean {
  const channels = CHANNELS[mode];
  return data.every((value, i) => value < 16 || (mode === "RGBA" && i % channels === 3));
}
