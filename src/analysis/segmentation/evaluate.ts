/**
 * How well maps find things whose masks are known: through some heads, by other methods, and by nothing at all.
 *
 * The protocol is that of "Interpreting CLIP's Image Representation via Text-Based Decomposition", §4.2, whose metrics
 * are in `metrics.ts`: the map of a class minus the mean map of all classes, enlarged bilinearly to the
 * size at which the model reads the image, against the mask there. Two questions are asked:
 *
 * - **predicted**: as in the paper, the map is of the class that the whole image is most similar to, the foreground the
 *   class that fills most of the mask (the paper's images have one);
 * - **true**: every class of every mask, with its own map.
 *
 * In one thing this differs from the reference implementation: there the mask is squashed to a square while the image
 * is cut, so that the two do not lie on each other unless the image is square. Here the mask is cut as the image is.
 */

import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { isEmbedded } from "../../model/embedded.ts";
import { pixelsOf } from "../../model/pixels.ts";
import { originOf } from "../../results/origin.ts";
import {
  type Protocol,
  type SegmentationAnswer,
  type SegmentationEvaluation,
  segmentationEvaluation,
} from "../../results/segmentation-evaluation.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { MaskedImage, MaskedImages } from "./masked-images.ts";
import { classProbes, methodsOf, predictClass } from "./methods.ts";
import {
  bootstrap,
  differences,
  intervals,
  type MaskScore,
  normaliseMap,
  resamples,
  scoreMask,
} from "./metrics.ts";
import { maskedPasses, type RejectedImage } from "./passes.ts";
import { layersOf } from "./segmentation.ts";
import { enlarge, foregroundShare, maskOf, readClasses } from "./truth.ts";

/** One class of one image as the first method found it. */
export interface EvaluatedUnit {
  readonly image: MaskedImage;
  readonly name: string;
  readonly truth: number;
  /** The class that the image is most similar to. */
  readonly predicted: number;
  readonly score: MaskScore;
  /** The mean over background and foreground of the image's own intersection over union. */
  readonly iou: number;
}

/** How segmentation is evaluated. */
export interface EvaluateOptions extends WorkOptions {
  readonly exif?: boolean;
  /** Classes that fill a smaller share of the mask are left out. Default: 0.01. */
  readonly leastShare?: number;
  /** Resamples for the intervals. Default: 1000. */
  readonly draws?: number;
  readonly seed?: number;
}

/** One method's scores of every pair that was asked of it, with the image of each. */
interface Answers {
  readonly scores: MaskScore[];
  readonly images: number[];
}

/**
 * Evaluates sets of heads beside every baseline. Two passes of the encoder an image; images go by one at a time and
 * nothing of them is kept but their scores.
 *
 * @param sets the first is what all others are compared with
 * @returns the result, and every answer of the first method to the second question, best first
 * @throws `MASKS_INVALID` when nothing is left to evaluate, `CANCELLED`
 * @example
 * ```ts
 * import { evaluateSegmentation, openModel, parseHeads } from "clip-interpret";
 * import { corpusMasks } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scenes = await corpusMasks("examples/scenes");
 * const some = { ...scenes, images: scenes.images.slice(0, 4) };
 * const { result } = await evaluateSegmentation(model, some, [parseHeads(model, "last2")], { draws: 50 });
 * for (const { name, measures } of result.methods.slice(0, 2)) console.log(name, measures.true.meanIou.value.toFixed(2));
 * // → last2 0.64
 * // → raw attention 0.58
 * ```
 */
export async function evaluateSegmentation(
  model: ClipModel,
  { source: from, ofWorld, classes, images, unmatched }: MaskedImages,
  sets: readonly NamedSet[],
  { exif = true, leastShare = 0.01, draws = 1000, seed = 0, report, signal }: EvaluateOptions = {},
): Promise<{ result: SegmentationEvaluation; units: EvaluatedUnit[] }> {
  const { preprocess: config, vision } = model.config;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const probes = await classProbes(
    model,
    classes.map(({ texts }) => texts),
    work,
  );
  const methods = methodsOf(model, sets, probes);
  const answers = methods.map(() => ({ predicted: emptyAnswers(), true: emptyAnswers() }));
  const tokenLayers = [...new Set(sets.flatMap(({ set }) => layersOf(set)))].sort((a, b) => a - b);
  const rejected: RejectedImage[] = [];
  const units: EvaluatedUnit[] = [];
  const occurring = new Set<number>();
  const foreground = { predicted: 0, true: 0 };
  let [evaluated, leftOut, predictedRight] = [0, 0, 0];
  const options = { tokenLayers, exif, leastShare, ...work };
  for await (const one of maskedPasses(model, images, options, rejected)) {
    const { masked, pass, found, present } = one;
    leftOut += one.leftOut;
    const main = present.reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
    const predicted = predictClass(pass, probes);
    const image = evaluated++;
    if (predicted === main) predictedRight++;
    for (const [index] of present) occurring.add(index);
    // Where the predicted class is the main one, both questions have the same answer.
    const known = new Map<string, MaskScore>();
    const ask = async (protocol: Protocol, truth: number, mapped: number) => {
      const mask = maskOf(found, truth);
      foreground[protocol] += foregroundShare(mask);
      for (const [m, method] of methods.entries()) {
        const key = `${m} ${truth} ${method.readsClass ? mapped : ""}`;
        const scored =
          known.get(key) ??
          scoreMask(normaliseMap(enlarge(await method.map(pass, mapped), vision.grid, model)), mask);
        known.set(key, scored);
        answers[m][protocol].scores.push(scored);
        answers[m][protocol].images.push(image);
        if (m === 0 && protocol === "true") {
          const unit = { image: masked, name: classes[truth].name, truth, predicted };
          units.push({ ...unit, score: scored, iou: ownIou(scored) });
        }
      }
    };
    await ask("predicted", main, predicted);
    for (const [truth] of present) await ask("true", truth, truth);
  }
  const counted = resamples(evaluated, draws, seed);
  const drawn = answers.map((answer) => byProtocol((protocol) => bootstrap(answer[protocol], counted)));
  const asked = byProtocol((protocol) => answers[0][protocol].scores.length);
  units.sort((a, b) => b.iou - a.iou);
  const result = segmentationEvaluation(await originOf({ model }), {
    source: from,
    foreign: isEmbedded(model.name) && !ofWorld,
    images: evaluated,
    size: config.size,
    classes: classes.length,
    occurring: occurring.size,
    leftOut,
    leastShare,
    asked,
    predictedRight: predictedRight / evaluated,
    foreground: byProtocol((protocol) => foreground[protocol] / asked[protocol]),
    draws,
    seed,
    methods: methods.map(({ name, paper, components }, m) => ({
      ...{ name, paper, components },
      measures: byProtocol((protocol) => intervals(drawn[m][protocol])),
      difference: byProtocol((protocol) => differences(drawn[m][protocol], drawn[0][protocol])),
    })),
    answers: chooseUnits(units).map(({ rank, unit: { image, name, predicted, iou } }) => ({
      ...{ rank, image: image.name, name, predicted: classes[predicted].name, iou },
    })),
    rejected,
    unmatched: [...unmatched],
  });
  return { result, units };
}

const SHOWN = 8;

/** Answers to be shown: the best, those around the middle, and the worst. @param units best first */
export function chooseUnits(
  units: readonly EvaluatedUnit[],
): { readonly rank: SegmentationAnswer["rank"]; readonly unit: EvaluatedUnit }[] {
  const most = Math.min(SHOWN, Math.max(1, Math.floor(units.length / 3)));
  const middle = Math.max(0, Math.floor((units.length - most) / 2));
  const ranked = (rank: SegmentationAnswer["rank"], of: readonly EvaluatedUnit[]) =>
    of.map((unit) => ({ rank, unit }));
  return [
    ...ranked("best", units.slice(0, most)),
    ...ranked("middle", units.slice(middle, middle + most)),
    ...ranked("worst", units.slice(-most)),
  ];
}

const emptyAnswers = (): Answers => ({ scores: [], images: [] });
const byProtocol = <T>(of: (protocol: Protocol) => T): Record<Protocol, T> => ({
  predicted: of("predicted"),
  true: of("true"),
});

const ownIou = ({ intersection, union }: MaskScore): number =>
  (intersection[0] / (union[0] || 1) + intersection[1] / (union[1] || 1)) / 2;

/** What a picture of one answer needs: what the model saw, the truth, and the first method's map. */
export interface UnitPicture {
  readonly unit: EvaluatedUnit;
  /** [size, size, 3]. */
  readonly rgb: Uint8Array;
  /** [size, size]: 1 foreground, 0 background, −1 not labelled. */
  readonly mask: Int8Array;
  /** [size, size], from 0 to 1. */
  readonly relevance: Float64Array;
}

/** Segments some answers' images again, for their pictures. */
export async function unitPictures(
  model: ClipModel,
  { classes }: Pick<MaskedImages, "classes">,
  units: readonly EvaluatedUnit[],
  named: NamedSet,
  { exif = true, report, signal }: Pick<EvaluateOptions, "exif" | "report" | "signal"> = {},
): Promise<UnitPicture[]> {
  const { preprocess: config, vision } = model.config;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const probes = await classProbes(
    model,
    classes.map(({ texts }) => texts),
    work,
  );
  const [{ map }] = methodsOf(model, [named], probes);
  const pictures: UnitPicture[] = [];
  for (const unit of units) {
    checkCancelled(signal);
    const { pixels, shown } = await pixelsOf(model, unit.image.image, { exif });
    const decomposition = await model.decompose(pixels, { tokenLayers: layersOf(named.set) });
    const outputs = await model.readTokens(pixels);
    const values = await map({ decomposition, outputs, pixels, image: 0, index: 0 }, unit.truth);
    const mask = maskOf(await readClasses(unit.image, shown, config), unit.truth);
    pictures.push({
      unit,
      rgb: shown.rgb,
      mask,
      relevance: normaliseMap(enlarge(values, vision.grid, model)),
    });
  }
  return pictures;
}
