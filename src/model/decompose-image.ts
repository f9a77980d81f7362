import type { DecodeOptions } from "../image/decode-options.ts";
import type { Preprocessed } from "../image/show.ts";
import type { ClipModel } from "./clip-model.ts";
import type { ComponentSet } from "./components.ts";
import type { TokenDecomposition } from "./decompose.ts";
import { pixelsOf } from "./pixels.ts";

/** One image, taken apart, and the square of it that the model was shown. */
export interface DecomposedImage extends TokenDecomposition {
  readonly shown: Preprocessed;
}

/** How an image is decomposed. */
export interface DecomposeImageOptions extends DecodeOptions {
  /** Heads whose tokens are wanted too, for `readTokens`. */
  readonly tokensOf?: ComponentSet;
}

/**
 * What every component wrote into an image's embedding, checked to add up to it.
 *
 * @param source path, or the bytes of an image file
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`; `SUM_MISMATCH`
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * console.log(scene.z.length, "numbers say what", 4 * 4, "heads wrote"); // → 512 numbers say what 16 heads wrote
 * console.log(scene.error[0] < 1e-6); // → true
 * ```
 */
export async function decomposeImage(
  model: Pick<ClipModel, "config" | "preprocess" | "decompose">,
  source: string | Uint8Array,
  { tokensOf, ...options }: DecomposeImageOptions = {},
): Promise<DecomposedImage> {
  const { pixels, shown } = await pixelsOf(model, source, options);
  const tokenLayers = [...new Set((tokensOf?.heads ?? []).map(({ layer }) => layer))];
  return { ...(await model.decompose(pixels, { tokenLayers })), shown };
}
