/**
 * How well a map finds an object, by the protocol of Chefer, Gur & Wolf 2021 ("Transformer Interpretability Beyond
 * Attention Visualization", §4) that "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§4.2)
 * follows, number for number as in their code:
 *
 * 1. the map is clipped at 0 and brought to [0, 1]: r = (m − min m) / (max m − min m);
 * 2. a pixel is foreground where r is above the mean of r;
 * 3. pixel accuracy = right pixels / labelled pixels, both summed over all images;
 * 4. mIoU = the mean over background and foreground of Σ intersection / Σ union, sums over all images;
 * 5. mAP = the mean over images of the average precision of the 2·n scores {r for foreground, 1 − r for background}
 *    of the n labelled pixels, taken together.
 */
import { Random } from "../../math/random.ts";
import type { Measured, SegmentationMetric } from "../../results/segmentation-evaluation.ts";

/** What a pixel of a mask is. */
export const [IGNORED, BACKGROUND, FOREGROUND] = [-1, 0, 1] as const;

/** One map against one mask. */
export interface MaskScore {
  readonly correct: number;
  readonly labelled: number;
  /** Pixels that map and mask agree on, of the background and of the foreground. */
  readonly intersection: readonly [background: number, foreground: number];
  readonly union: readonly [background: number, foreground: number];
  /** Average precision. */
  readonly precision: number;
}

/** A map clipped at zero and brought to [0, 1]; all zeros when it is the same everywhere, as where nothing is positive. */
export function normaliseMap(map: Float64Array): Float64Array {
  let [low, high] = [Infinity, 0];
  for (const value of map) {
    low = Math.min(low, Math.max(0, value));
    high = Math.max(high, value);
  }
  const relevance = new Float64Array(map.length);
  // The reference divides by zero here and puts zeros where the result is not a number.
  if (!(high > low)) return relevance;
  for (let i = 0; i < map.length; i++) relevance[i] = (Math.max(0, map[i]) - low) / (high - low);
  return relevance;
}

/** Foreground (1) where a normalised map is above its mean. */
export function threshold(relevance: Float64Array): Uint8Array {
  let sum = 0;
  for (const value of relevance) sum += value;
  const mean = sum / relevance.length;
  const predicted = new Uint8Array(relevance.length);
  for (let i = 0; i < relevance.length; i++) predicted[i] = relevance[i] > mean ? 1 : 0;
  return predicted;
}

/**
 * Scores a normalised map against a mask of the same pixels.
 * @param mask 1 foreground, 0 background, −1 not labelled
 */
export function scoreMask(relevance: Float64Array, mask: Int8Array): MaskScore {
  const predicted = threshold(relevance);
  const [agree, inMap, inMask] = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === IGNORED) continue;
    inMap[predicted[i]]++;
    inMask[mask[i]]++;
    if (predicted[i] === mask[i]) agree[mask[i]]++;
  }
  return {
    correct: agree[0] + agree[1],
    labelled: inMask[0] + inMask[1],
    intersection: [agree[0], agree[1]],
    union: [inMap[0] + inMask[0] - agree[0], inMap[1] + inMask[1] - agree[1]],
    precision: averagePrecision(...bothClasses(relevance, mask)),
  };
}

/** The 2·n scores of the labelled pixels that the reference ranks together: those that are true, and the others. */
function bothClasses(
  relevance: Float64Array,
  mask: Int8Array,
): [isTrue: Float64Array, isFalse: Float64Array] {
  // An all-zero map represents one that is not a number: both of its scores are 0.
  const flat = relevance.every((value) => value === 0);
  let labelled = 0;
  for (const value of mask) if (value !== IGNORED) labelled++;
  const [isTrue, isFalse] = [new Float64Array(labelled), new Float64Array(labelled)];
  for (let i = 0, at = 0; i < mask.length; i++) {
    if (mask[i] === IGNORED) continue;
    const background = flat ? 0 : 1 - relevance[i];
    const inside = mask[i] === FOREGROUND;
    isTrue[at] = inside ? relevance[i] : background;
    isFalse[at++] = inside ? background : relevance[i];
  }
  return [isTrue, isFalse];
}

/**
 * Average precision: Σ_k (R_k − R_{k−1})·P_k over the distinct scores from the highest down, equal scores together
 * (scikit-learn's `average_precision_score`). 0 where nothing is true.
 *
 * @param isTrue the scores of what should be found
 * @param isFalse the scores of everything else
 */
export function averagePrecision(isTrue: Float64Array, isFalse: Float64Array): number {
  const [found, others] = [isTrue.toSorted(), isFalse.toSorted()];
  let precision = 0;
  let [f, o] = [found.length, others.length];
  while (f > 0) {
    const score = found[f - 1];
    const before = f;
    while (f > 0 && found[f - 1] === score) f--;
    while (o > 0 && others[o - 1] >= score) o--;
    const hits = found.length - f;
    precision += ((before - f) / found.length) * (hits / (hits + others.length - o));
  }
  return precision;
}

/** Pixel accuracy, mIoU and mAP, whatever is said of them. */
export type Measures<T> = Readonly<Record<SegmentationMetric, T>>;

/** Pixel accuracy, mIoU and mAP of some images, of which each may count several times. */
export function measure(scores: readonly MaskScore[], counts?: ArrayLike<number>): Measures<number> {
  let [correct, labelled, precision, images] = [0, 0, 0, 0];
  const [intersection, union] = [
    [0, 0],
    [0, 0],
  ];
  for (const [i, score] of scores.entries()) {
    const times = counts ? counts[i] : 1;
    correct += times * score.correct;
    labelled += times * score.labelled;
    precision += times * score.precision;
    images += times;
    for (const side of [0, 1]) {
      intersection[side] += times * score.intersection[side];
      union[side] += times * score.union[side];
    }
  }
  const over = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    pixelAccuracy: over(correct, labelled),
    meanIou: (over(intersection[0], union[0]) + over(intersection[1], union[1])) / 2,
    meanPrecision: over(precision, images),
  };
}

/** How often each of `images` images is drawn in each resample; images, not pixels or classes, are the sample. */
export function resamples(images: number, times: number, seed: number): Uint16Array[] {
  return Array.from({ length: times }, (_, index) => {
    const random = new Random(seed, index);
    const counts = new Uint16Array(images);
    for (let i = 0; i < images; i++) counts[random.below(images)]++;
    return counts;
  });
}

/** A method's three numbers, on all images and in each resample of them. */
export interface Bootstrapped {
  readonly whole: Measures<number>;
  readonly drawn: readonly Measures<number>[];
}

/**
 * Measures a method on all images and in each resample.
 * @param images which image each score belongs to, counted from 0: an image is drawn with all of its scores
 */
export function bootstrap(
  { scores, images }: { readonly scores: readonly MaskScore[]; readonly images: readonly number[] },
  draws: readonly Uint16Array[],
): Bootstrapped {
  const times = new Uint16Array(scores.length);
  return {
    whole: measure(scores),
    drawn: draws.map((draw) => {
      for (const [i, image] of images.entries()) times[i] = draw[image];
      return measure(scores, times);
    }),
  };
}

/** The three numbers with 95 % intervals: the middle of the resamples. */
export const intervals = ({ whole, drawn }: Bootstrapped): Measures<Measured> =>
  eachMetric((metric) =>
    interval(
      whole[metric],
      drawn.map((measures) => measures[metric]),
    ),
  );

/** One method minus another on the same images, with intervals from the same resamples. */
export const differences = (one: Bootstrapped, other: Bootstrapped): Measures<Measured> =>
  eachMetric((metric) =>
    interval(
      one.whole[metric] - other.whole[metric],
      one.drawn.map((measures, i) => measures[metric] - other.drawn[i][metric]),
    ),
  );

const eachMetric = <T>(of: (metric: SegmentationMetric) => T): Measures<T> => ({
  pixelAccuracy: of("pixelAccuracy"),
  meanIou: of("meanIou"),
  meanPrecision: of("meanPrecision"),
});

/** The middle 95 % of some numbers around `value`. */
export function interval(value: number, drawn: readonly number[]): Measured {
  const sorted = [...drawn].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? value;
  return { value, low: at(0.025), high: at(0.975) };
}
