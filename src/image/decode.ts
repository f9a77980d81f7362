import sharp, { type Metadata } from "sharp";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { readInput } from "../support/files.ts";

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
}

export interface DecodeOptions {
  /** Turn the image upright by its EXIF orientation (default). The reference implementation ignores it. */
  readonly exif?: boolean;
  /** Images with more pixels are refused before any is decoded. Default 100 million. */
  readonly maxPixels?: number;
  /** What to call the image in error messages; default: its path, or `image` for bytes. */
  readonly name?: string;
}

const MAX_PIXELS = 100e6;
// Drawings (SVG) and documents are left out: they have no pixels of their own and much more to attack.
const FORMATS = new Set(["jpeg", "png", "webp", "gif", "tiff", "heif"]);

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF or AVIF image (the first frame) to 8-bit pixels in the mode in which
 * Pillow would open it, ignoring colour profiles as Pillow does. 16-bit samples keep their high byte; gray
 * with alpha comes as RGBA with equal colours, which Pillow's arithmetic cannot tell apart.
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`
 */
export async function decodeImage(
  source: string | Uint8Array,
  { exif = true, maxPixels = MAX_PIXELS, name = sourceName(source) }: DecodeOptions = {},
): Promise<DecodedImage> {
  const bytes = typeof source === "string" ? await readInput(source) : source;
  if (bytes.length === 0) throw unreadable(name, "the file is empty");
  try {
    // A header may claim anything; the limit is checked below, where the message can name the size.
    const metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
    if (!FORMATS.has(metadata.format)) throw unreadable(name, `${metadata.format} files are not supported`);
    if (metadata.width * metadata.height > maxPixels) {
      throw new ClipInterpretError(
        "IMAGE_TOO_LARGE",
        `${name}: ${metadata.width}×${metadata.height} pixels, the limit is ${maxPixels}`,
      );
    }
    return await decodePixels(bytes, modeOf(metadata, bytes), exif, name);
  } catch (cause) {
    if (cause instanceof ClipInterpretError) throw cause;
    throw unreadable(name, messageOf(cause).split("\n", 1)[0]!, cause);
  }
}

/** What error messages call a source that was given no name. */
export function sourceName(source: string | Uint8Array): string {
  return typeof source === "string" ? source : "image";
}

function unreadable(name: string, why: string, cause?: unknown): ClipInterpretError {
  return new ClipInterpretError("IMAGE_UNREADABLE", `cannot decode ${name}: ${why}`, { cause });
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

async function decodePixels(
  bytes: Uint8Array,
  mode: ImageMode,
  exif: boolean,
  name: string,
): Promise<DecodedImage> {
  // "error" refuses what is cut off or damaged, and lets pass what viewers let pass (junk after the end).
  const image = sharp(bytes, { ignoreIcc: true, failOn: "error", limitInputPixels: false, autoOrient: exif });
  if (mode === "CMYK") image.pipelineColourspace("cmyk").toColourspace("cmyk");
  else if (mode === "L") image.toColourspace("b-w");
  else if (mode !== "RGBA") image.removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== CHANNELS[mode]) throw unreadable(name, `${info.channels} channels are not supported`);
  return { mode, width: info.width, height: info.height, data };
}
