import { readInput } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import { sourceName } from "./checked.ts";
import { withDecoded } from "./decode.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { type Preprocessed, showImage } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";

/**
 * Decodes, resizes and crops an image exactly as the model's library does with Pillow. OpenCLIP's evaluation transform
 * resizes in the image's own mode, crops with torchvision and makes it RGB; transformers' makes it RGB first.
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
 */
export async function preprocess(
  source: string | Uint8Array,
  config: PreprocessConfig,
  options: DecodeOptions = {},
): Promise<Preprocessed> {
  const file = typeof source === "string" ? await readInput(source) : source;
  const shown = await withDecoded(file, { name: sourceName(source), ...options }, (image) =>
    showImage(image, config),
  );
  return { ...shown, bytes: file.length, sha256: sha256Of(file) };
}
