/** Images with masks, one at a time, as every evaluation of maps reads them: both passes of the encoder beside the truth. */

import type { ClipModel } from "../../model/clip-model.ts";
import { decomposeImages } from "../../model/decompose-images.ts";
import { normalizeAll } from "../../model/pixels.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { type MaskedImage, UNLABELLED } from "./masked-images.ts";
import { type Pass, passFeatures } from "./methods.ts";
import { countClasses, readClasses } from "./truth.ts";

/** One image that can be evaluated. */
export interface MaskedPass {
  readonly masked: MaskedImage;
  readonly pass: Pass;
  /** [size, size]: each pixel's class. */
  readonly found: Int16Array;
  /** Classes that fill enough of the mask, with their pixels. */
  readonly present: readonly [index: number, pixels: number][];
  /** Classes that do not. */
  readonly leftOut: number;
}

/** How images are read. */
export interface PassOptions extends WorkOptions {
  /** Layers whose tokens are wanted. */
  readonly tokenLayers: readonly number[];
  readonly exif: boolean;
  readonly leastShare: number;
}

/** An image that could not be evaluated, and why. */
export interface RejectedImage {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Reads images in order. What is wrong with one is put into `rejected` and stops nothing.
 * @throws `MASKS_INVALID` when none could be read, `CANCELLED`
 */
export async function* maskedPasses(
  model: ClipModel,
  images: readonly MaskedImage[],
  { tokenLayers, exif, leastShare, report, signal }: PassOptions,
  rejected: RejectedImage[],
): AsyncGenerator<MaskedPass, void, undefined> {
  const { preprocess: config } = model.config;
  const features = passFeatures(model);
  const reject = (path: string, { code, message }: ClipInterpretError) =>
    rejected.push({ path, code, message });
  const task = "segmenting";
  report?.({ type: "start", task, unit: "image", total: images.length });
  const byPath = new Map(images.map((image) => [image.image, image]));
  const paths = images.map(({ image }) => image);
  const batches = decomposeImages(model, paths, { tokenLayers: [...tokenLayers], exif, signal });
  let [done, read] = [0, 0];
  for await (const { images: batch, decomposition, rejected: bad } of batches) {
    for (const { source, error } of bad) reject(source, error);
    if (decomposition) {
      const pixels = normalizeAll(
        batch.map(({ shown }) => shown),
        config,
      );
      const each = pixels.length / batch.length;
      const outputs = await model.readTokens(pixels, { features });
      for (const [image, { source, shown }] of batch.entries()) {
        checkCancelled(signal);
        const masked = byPath.get(source)!;
        try {
          const found = await readClasses(masked, shown, config);
          const counts = countClasses(found);
          const labelled = found.reduce((count, value) => count + (value === UNLABELLED ? 0 : 1), 0);
          const present = [...counts].filter(([, count]) => count >= leastShare * labelled);
          const leftOut = counts.size - present.length;
          if (present.length === 0)
            throw new ClipInterpretError("MASKS_INVALID", `${masked.mask} shows no class here`);
          const own = pixels.subarray(image * each, (image + 1) * each);
          const pass = { decomposition, outputs, pixels: own, image, index: done + image };
          read++;
          yield { masked, pass, found, present, leftOut };
        } catch (error) {
          if (!(error instanceof ClipInterpretError) || error.code === "CANCELLED") throw error;
          reject(source, error);
        }
      }
    }
    done += batch.length + bad.length;
    report?.({ type: "advance", task, done, total: images.length });
  }
  report?.({ type: "end", task, done });
  if (read > 0) return;
  const first = rejected[0] ? `; the first: ${rejected[0].message}` : "";
  throw new ClipInterpretError("MASKS_INVALID", `none of ${images.length} images could be evaluated${first}`);
}
