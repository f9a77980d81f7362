import { Binary } from "../support/binary.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { imageFormat } from "./format.ts";
import { CHANNELS, type DecodedImage, type OpenedImage } from "./pixels.ts";

/*
 * What is checked of a picture before and after its decoder is asked, whichever that is.
 */

const MAX_PIXELS = 100e6;
/** The longest side that JPEG can have; one row of a longer one takes gigabytes in some decoders. */
const MAX_SIDE = 65_535;

const counted = (count: number) => count.toLocaleString("en");

/** Reads a picture's header, by its format's name. */
export type OpenFormat = (file: Binary, format: string, exif: boolean) => OpenedImage | Promise<OpenedImage>;

/**
 * Reads a picture's header and checks its size, before memory is taken for its pixels.
 * @throws `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
 */
export async function openChecked(
  file: Uint8Array,
  open: OpenFormat,
  { exif = true, maxPixels = MAX_PIXELS, name = "image" }: DecodeOptions,
): Promise<OpenedImage> {
  const format = formatOf(file, name);
  const opened = await coded(name, async () => open(Binary.over(file), format, exif));
  const { width, height } = opened;
  const tooLarge = (limit: string, hint?: string) => {
    opened.close?.();
    const message = `${name}: ${counted(width)} × ${counted(height)} pixels, ${limit}`;
    return new ClipInterpretError("IMAGE_TOO_LARGE", message, hint ? { hint } : {});
  };
  if (Math.max(width, height) > MAX_SIDE)
    throw tooLarge(`the longest side is ${counted(MAX_SIDE)}`, "Make it smaller, or cut it into pieces.");
  if (width * height > maxPixels) throw tooLarge(`the limit is ${counted(maxPixels)}`);
  if (width < 1 || height < 1) throw unreadable(name, "it has no pixels");
  return opened;
}

/** The pixels of a picture that was opened; what should be known of them is reported. @throws `IMAGE_UNREADABLE` */
export async function decodeChecked(
  { decode }: OpenedImage,
  { name = "image", report }: DecodeOptions,
): Promise<DecodedImage> {
  const image = await coded(name, async () => decode());
  if (image.dark) report?.({ type: "warning", code: "IMAGE_DARK", message: `${name} ${DARK}` });
  return image;
}

/** What error messages call a source that was given no name. */
export function sourceName(source: string | Uint8Array): string {
  return typeof source === "string" ? source : "image";
}

/** The name of a picture's format. @throws `IMAGE_UNREADABLE` for no picture, `IMAGE_UNSUPPORTED` for another format */
function formatOf(file: Uint8Array, name: string): string {
  if (file.length === 0) throw unreadable(name, "the file is empty");
  const format = imageFormat(file);
  if (!format) throw unreadable(name, "it does not begin as a picture does");
  if (!format.readable)
    throw new ClipInterpretError(
      "IMAGE_UNSUPPORTED",
      `${name} is in a format that is not read: ${format.name}`,
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

const DARK = "has samples of 16 bits that use 12 of them or fewer, and is shown all but black";

/** True where no colour reaches a sixteenth of the full range. */
export function isDark({ mode, data }: DecodedImage): boolean {
  const channels = CHANNELS[mode];
  return data.every((value, i) => value < 16 || (mode === "RGBA" && i % channels === 3));
}
