/** What is true of each pixel that a model sees, and maps at the size at which it sees them. */
import { cropMask, readMask } from "../../image/mask.ts";
import type { Preprocessed } from "../../image/show.ts";
import { upsample } from "../../math/bilinear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { type MaskedImage, UNLABELLED } from "./masked-images.ts";
import { BACKGROUND, FOREGROUND, IGNORED } from "./metrics.ts";

/** The class of every pixel that the model sees: [size, size]. @throws `MASKS_INVALID` */
export async function readClasses(
  { mask: path, classOf }: MaskedImage,
  shown: Preprocessed,
  config: ClipModel["config"]["preprocess"],
): Promise<Int16Array> {
  const mask = await readMask(path);
  if (mask.width !== shown.width || mask.height !== shown.height) {
    const sizes = `${mask.width} × ${mask.height}, its image ${shown.width} × ${shown.height}`;
    throw new ClipInterpretError("MASKS_INVALID", `${path} is ${sizes}`);
  }
  return Int16Array.from(cropMask(mask, config), (value) => {
    const index = value < 0 ? UNLABELLED : classOf(value);
    if (index === undefined)
      throw new ClipInterpretError("MASKS_INVALID", `${path}: no class is named for ${value}`);
    return index;
  });
}

/** How many pixels each class has. */
export function countClasses(found: Int16Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const index of found) if (index >= 0) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/** Foreground where the class is, nothing where nothing is labelled. */
export const maskOf = (found: Int16Array, truth: number): Int8Array =>
  Int8Array.from(found, (index) =>
    index === truth ? FOREGROUND : index === UNLABELLED ? IGNORED : BACKGROUND,
  );

/** The share of the labelled pixels that is foreground. */
export function foregroundShare(mask: Int8Array): number {
  let [inside, labelled] = [0, 0];
  for (const value of mask) {
    if (value === FOREGROUND) inside++;
    if (value !== IGNORED) labelled++;
  }
  return inside / labelled;
}

/** A map of patches at the size at which the model reads the image. */
export function enlarge(
  values: Float64Array,
  grid: number,
  { config: { vision, preprocess } }: ClipModel,
): Float64Array {
  const { size } = preprocess;
  const covered = (grid * vision.patchSize) / size;
  const side = Math.round(covered * size);
  const whole = upsample({ rows: grid, columns: grid, values }, side, side);
  if (side === size) return whole;
  // Patches that do not divide the side leave a border: it takes the nearest value.
  return Float64Array.from({ length: size ** 2 }, (_, i) => {
    const [y, x] = [Math.floor(i / size), i % size].map((position) => Math.min(position, side - 1));
    return whole[y * side + x];
  });
}
