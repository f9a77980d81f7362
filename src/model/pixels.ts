import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { DecodeOptions } from "../image/decode-options.ts";
import { normalize, type Preprocessed } from "../image/show.ts";
import type { ClipModel } from "./clip-model.ts";

/** What a model reads of one image, and what it was made from. */
export interface ImagePixels {
  /** [3, size, size], normalised. */
  readonly pixels: Float32Array;
  readonly shown: Preprocessed;
}

/**
 * Makes of an image what a model reads.
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`
 */
export async function pixelsOf(
  model: { readonly config: Pick<ModelConfig, "preprocess"> } & Pick<ClipModel, "preprocess">,
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<ImagePixels> {
  const shown = await model.preprocess(source, options);
  return { pixels: normalizeAll([shown], model.config.preprocess), shown };
}

/** Several images' pixels in one batch: [b, 3, size, size], normalised. */
export function normalizeAll(
  shown: readonly Pick<Preprocessed, "rgb">[],
  config: ModelConfig["preprocess"],
): Float32Array {
  const each = 3 * config.size ** 2;
  const pixels = new Float32Array(shown.length * each);
  for (const [i, { rgb }] of shown.entries()) normalize(rgb, config, pixels, i * each);
  return pixels;
}
