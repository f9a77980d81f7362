import type { SegmentResult } from "../../results/segment.ts";
import { shareColour } from "../kit/colour.ts";
import { type Paint, paintGrid, paintWinners } from "../kit/heatmap.ts";
import {
  type Cover,
  canvasOf,
  type EncodePng,
  gridOf,
  type Pixels,
  pictureOf,
  signedPaint,
} from "../kit/panel.ts";
import type { Picture } from "../kit/svg.ts";
import { largestMargin, limitsOf, rangeOf } from "./words.ts";

/** What is painted of a segmentation, or the pictures of it. */
interface Panels<T> {
  readonly texts: readonly T[];
  /** Of two or more texts. */
  readonly winners?: T;
  readonly baselines: readonly T[];
}

/** The pictures of a segmentation: the image, faded where the model did not look, and the maps on it. */
export interface SegmentationPictures extends Panels<Picture> {
  readonly original: Picture;
}

/** The colours of every map. */
export function segmentationPaints(result: SegmentResult, cover: Cover = {}): Panels<Paint> {
  const { texts, winners, baselines = [] } = result;
  const limits = limitsOf(result);
  const { squares } = cover;
  return {
    texts: texts.map(({ values }, i) => signedPaint(values, limits[i], cover)),
    // Winners are chosen by the texts' own maps, so that the margin is theirs too.
    ...(winners && {
      winners: paintWinners(
        texts.map(({ own, values }) => gridOf(own ?? values)),
        largestMargin(winners) || 1,
        squares,
      ),
    }),
    baselines: baselines.map(({ values }) => {
      const [low, high] = rangeOf(values);
      return paintGrid(gridOf(values), low, high, shareColour, squares);
    }),
  };
}

/**
 * Draws every picture of a segmentation. @param pixels of the original, best of `pixelSize`
 *
 * @example
 * ```ts
 * import { openModel, parseHeads, segmentImage } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, segmentationPictures } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await segmentImage(model, scene, ["a monkey"], { set: parseHeads(model, "last2") });
 * const { width, height } = pixelSize(result);
 * const pictures = await segmentationPictures(result, await displayPicture(scene, width, height), encodePng);
 * console.log(pictures.texts.length); // → 1
 * ```
 */
export async function segmentationPictures(
  result: SegmentResult,
  pixels: Pixels,
  encodePng: EncodePng,
  cover?: Cover,
): Promise<SegmentationPictures> {
  const canvas = canvasOf(pixels, result);
  const draw = (paint?: Paint) => pictureOf(canvas, encodePng, paint, cover);
  const { texts, winners, baselines } = segmentationPaints(result, cover);
  return {
    original: await draw(),
    texts: await Promise.all(texts.map(draw)),
    ...(winners && { winners: await draw(winners) }),
    baselines: await Promise.all(baselines.map(draw)),
  };
}
