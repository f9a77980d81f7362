import type { Binary } from "../support/binary.ts";
import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { decodeChecked, type OpenFormat, openChecked, sourceName } from "./checked.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { isSideways, turnUpright } from "./orientation.ts";
import type { DecodedImage, OpenedImage } from "./pixels.ts";
import { PLAIN_READERS } from "./plain-readers.ts";
import { openPng } from "./png-reader.ts";
import { type Preprocessed, showImage } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";

/*
 * Pictures in a browser. What is lossless is read here, bit for bit as in Node; JPEG, WebP and AVIF by the browser, whose
 * decoders may round otherwise by a level or two.
 */

/** As much of a browser as is used here: the package is compiled without its types. */
interface Canvas {
  getContext(kind: "2d"): {
    drawImage(picture: Bitmap, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}
interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}
interface Frame {
  readonly displayWidth: number;
  readonly displayHeight: number;
  copyTo(target: Uint8Array, options: { readonly format: "RGBA" }): Promise<unknown>;
  close(): void;
}
interface Browser {
  readonly OffscreenCanvas: new (width: number, height: number) => Canvas;
  createImageBitmap(file: Blob, options: Readonly<Record<string, string>>): Promise<Bitmap>;
  readonly ImageDecoder?: new (
    init: Readonly<Record<string, unknown>>,
  ) => {
    decode(): Promise<{ readonly image: Frame }>;
    close(): void;
  };
}
const browser = globalThis as unknown as Browser;

/** Formats that browsers decode, and what they call them. */
const BY_BROWSER: Readonly<Record<string, string>> = {
  ...{ JPEG: "image/jpeg", WebP: "image/webp", AVIF: "image/avif" },
};

/**
 * `preprocess` in a browser, in its main thread or a worker.
 * @param bytes where pictures are that are given by their address
 */
export const preprocessIn =
  (bytes: Bytes) =>
  async (
    source: string | Uint8Array,
    config: PreprocessConfig,
    options: DecodeOptions = {},
  ): Promise<Preprocessed> => {
    const file = typeof source === "string" ? await bytes.read(source) : source;
    const image = await decodeInBrowser(file, { name: sourceName(source), ...options });
    return { ...showImage(image, config), bytes: file.length, sha256: sha256Of(file) };
  };

/**
 * Decodes a picture as `decodeImage` does in Node.
 * @throws `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
 */
export async function decodeInBrowser(file: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  return decodeChecked(await openInBrowser(file, options), options);
}

/** The size of a picture as it will be decoded. @throws as {@link decodeInBrowser} */
export async function sizeInBrowser(
  file: Uint8Array,
  options: DecodeOptions,
): Promise<{ readonly width: number; readonly height: number }> {
  const { width, height, close } = await openInBrowser(file, options);
  close?.();
  return { width, height };
}

const openInBrowser = (file: Uint8Array, options: DecodeOptions): Promise<OpenedImage> =>
  openChecked(file, openFormat(options), options);

const openFormat =
  ({ name = "image" }: DecodeOptions): OpenFormat =>
  (file, format, exif) => {
    if (format === "PNG") return upright(openPng(file), exif);
    const plain = PLAIN_READERS[format];
    if (plain) return plain(file);
    const type = BY_BROWSER[format];
    if (type) return openBrowsers(file, type, exif);
    throw new ClipInterpretError(
      "IMAGE_UNSUPPORTED",
      `${name} is in a format that is not read in a browser: ${format}`,
      { hint: "Convert it to PNG or JPEG in an image viewer. `npx clip-interpret serve` reads it as it is." },
    );
  };

function upright(opened: ReturnType<typeof openPng>, exif: boolean): OpenedImage {
  const { width, height, orientation, decode } = opened;
  if (!exif || orientation === 1) return opened;
  const [columns, rows] = isSideways(orientation) ? [height, width] : [width, height];
  return { width: columns, height: rows, decode: async () => turnUpright(await decode(), orientation) };
}

/** A picture that the browser decodes: its frame, first of all, since only that tells its size. */
async function openBrowsers(file: Binary, type: string, exif: boolean): Promise<OpenedImage> {
  if (type === "image/webp" && browser.ImageDecoder) return openFrame(file, type);
  const bitmap = await browser.createImageBitmap(new Blob([file], { type }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
    imageOrientation: exif ? "from-image" : "none",
  });
  const { width, height } = bitmap;
  return {
    ...{ width, height },
    close: () => bitmap.close(),
    decode() {
      const context = new browser.OffscreenCanvas(width, height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      return fromRgba(width, height, context.getImageData(0, 0, width, height).data);
    },
  };
}

/** A WebP, whose colours under transparency a canvas would lose. */
async function openFrame(file: Binary, type: string): Promise<OpenedImage> {
  const decoder = new browser.ImageDecoder!({
    ...{ data: file, type, colorSpaceConversion: "none", premultiplyAlpha: "none" },
  });
  const { image } = await decoder.decode();
  const { displayWidth: width, displayHeight: height } = image;
  return {
    ...{ width, height },
    close() {
      image.close();
      decoder.close();
    },
    async decode() {
      const rgba = new Uint8Array(width * height * 4);
      await image.copyTo(rgba, { format: "RGBA" });
      image.close();
      decoder.close();
      return fromRgba(width, height, rgba);
    },
  };
}

/** RGB where nothing is transparent, as the file's own mode would be. */
function fromRgba(width: number, height: number, rgba: ArrayLike<number>): DecodedImage {
  const isOpaque = () => {
    for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
    return true;
  };
  if (!isOpaque()) return { mode: "RGBA", width, height, data: Uint8Array.from(rgba) };
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, out = 0; i < rgba.length; i += 4) for (let c = 0; c < 3; c++) data[out++] = rgba[i + c]!;
  return { mode: "RGB", width, height, data };
}
