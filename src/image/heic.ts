import type { DecodedImage, OpenedImage } from "./pixels.ts";

/**
 * What is used of libheif-js: libheif's own functions, which answer with an error where its wrapper writes it to the terminal.
 */
interface LibHeif {
  heif_context_alloc(): Context;
  heif_context_free(context: Context): void;
  heif_context_read_from_memory(context: Context, file: Uint8Array): HeifError;
  heif_js_context_get_primary_image_handle(context: Context): Handle | HeifError;
  heif_image_handle_get_width(handle: Handle): number;
  heif_image_handle_get_height(handle: Handle): number;
  heif_image_handle_release(handle: Handle): void;
  heif_js_decode_image2(handle: Handle, colours: unknown, chroma: unknown): HeifImage | HeifError;
  heif_image_release(image: unknown): void;
  readonly heif_error_code: { readonly heif_error_Ok: unknown };
  readonly heif_colorspace: { readonly heif_colorspace_RGB: unknown };
  readonly heif_chroma: { readonly heif_chroma_interleaved_RGBA: unknown };
}
type Context = { readonly context?: never };
type Handle = { readonly handle?: never };
interface HeifError {
  readonly code: unknown;
  readonly message: string;
}
interface HeifImage {
  readonly image: unknown;
  /** One, where colours are interleaved; rows may be longer than their pixels. */
  readonly channels: readonly [{ readonly data: Uint8Array; readonly stride: number }];
}

/**
 * Reads the main image of a HEIC (HEVC in HEIF), as phones take them, with libheif. It lies upright already: what turns
 * it is part of the format, whatever its EXIF says.
 * @throws Error where the file is damaged
 */
export async function openHeic(file: Uint8Array): Promise<OpenedImage> {
  const library = await loadLibHeif();
  return withMainImage(library, file, (handle) => ({
    width: library.heif_image_handle_get_width(handle),
    height: library.heif_image_handle_get_height(handle),
    decode: () => withMainImage(library, file, (again) => decodeImage(library, again)),
  }));
}

/** Memory of WebAssembly is freed by hand, so a file is opened for its size and again for its pixels. */
function withMainImage<T>(library: LibHeif, file: Uint8Array, use: (handle: Handle) => T): T {
  const context = library.heif_context_alloc();
  try {
    const read = library.heif_context_read_from_memory(context, file);
    if (read.code !== library.heif_error_code.heif_error_Ok) throw new Error(read.message);
    const handle = orThrow(library.heif_js_context_get_primary_image_handle(context));
    try {
      return use(handle);
    } finally {
      library.heif_image_handle_release(handle);
    }
  } finally {
    library.heif_context_free(context);
  }
}

function decodeImage(library: LibHeif, handle: Handle): DecodedImage {
  const { heif_colorspace_RGB: rgb } = library.heif_colorspace;
  const { heif_chroma_interleaved_RGBA: rgba } = library.heif_chroma;
  const width = library.heif_image_handle_get_width(handle);
  const height = library.heif_image_handle_get_height(handle);
  const { image, channels } = orThrow(library.heif_js_decode_image2(handle, rgb, rgba));
  try {
    const [{ data: rows, stride }] = channels;
    const data = new Uint8Array(width * height * 4);
    for (let y = 0; y < height; y++)
      data.set(rows.subarray(y * stride, y * stride + width * 4), y * width * 4);
    return { mode: "RGBA", width, height, data };
  } finally {
    library.heif_image_release(image);
  }
}

function orThrow<T extends object>(answer: T | HeifError): T {
  if ("code" in answer) throw new Error((answer as HeifError).message);
  return answer;
}

let loaded: Promise<LibHeif> | undefined;

/** Two megabytes of WebAssembly, for those who have such pictures. */
function loadLibHeif(): Promise<LibHeif> {
  // @ts-expect-error The package describes another of its files.
  loaded ??= import("libheif-js/wasm-bundle.js").then(({ default: library }) => library as LibHeif);
  return loaded;
}
