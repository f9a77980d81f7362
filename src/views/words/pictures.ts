import type { WordsResult } from "../../results/words.ts";
import { type Cover, canvasOf, type EncodePng, type Pixels, pictureOf, signedPaint } from "../kit/panel.ts";
import type { Picture } from "../kit/svg.ts";
import { limitOf } from "./words.ts";

/** The image, faded where the model did not look, and each word's map on it. */
export interface WordsPictures {
  readonly original: Picture;
  readonly words: readonly Picture[];
}

/**
 * Draws the map of every word, all on one scale. @param pixels of the original, best of `pixelSize`
 *
 * @example
 * ```ts
 * import { explainWords, openModel } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, wordsPictures, wordsSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await explainWords(model, scene, "a monkey on a purple background");
 * const { width, height } = pixelSize(result);
 * const pictures = await wordsPictures(result, await displayPicture(scene, width, height), encodePng);
 * console.log(pictures.words.length, wordsSvg(result, pictures).slice(0, 4)); // → 6 <svg
 * ```
 */
export async function wordsPictures(
  result: WordsResult,
  pixels: Pixels,
  encodePng: EncodePng,
  cover?: Cover,
): Promise<WordsPictures> {
  const canvas = canvasOf(pixels, result);
  const limit = limitOf(result);
  return {
    original: await pictureOf(canvas, encodePng),
    words: await Promise.all(
      result.words.map(({ map }) => pictureOf(canvas, encodePng, signedPaint(map, limit, cover), cover)),
    ),
  };
}
