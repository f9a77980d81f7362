/**
 * How true maps are: to what is there, as exact masks say, and to the network that they explain.
 *
 * - **pointing game** (Zhang et al. 2018, "Top-down Neural Attention by Excitation Backprop", §4.1; without their tolerance of 15
 *   pixels): whether the highest pixel of the enlarged map lies in the class's mask;
 * - **energy** (Wang et al. 2020, "Score-CAM", §4.3, "energy-based pointing game"): the share of the map's positive values, enlarged,
 *   that lies in the mask;
 * - **insertion and deletion** (Petsiuk, Das & Saenko 2018, "RISE", §4.2): patches come, or go, the map's highest first; the area
 *   under the class's probability among all classes. A patch that is not there has the image's mean colour, in both, so a map's two
 *   curves begin and end alike (RISE inserts into a blurred image);
 * - **sanity** (Adebayo et al. 2018, "Sanity Checks for Saliency Maps", §3, cascading randomisation): the rank correlation of maps
 *   with those of the same network whose layers, from the last down, have their weights shuffled. A map that stays does not tell
 *   what the network has learnt.
 *
 * Maps are those of {@link methodsOf}: the class's minus the mean of all classes, of every class that is there.
 */
import { copyCheckpoint } from "../../checkpoint/copy-checkpoint.ts";
import { shuffleTensors } from "../../checkpoint/edit-weights.ts";
import { loadCheckpoint } from "../../checkpoint/load.ts";
import { tensorsIn } from "../../checkpoint/weights.ts";
import { dot } from "../../math/linear.ts";
import { rankCorrelation } from "../../math/rank-correlation.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { isEmbedded } from "../../model/embedded.ts";
import { loadClipModel } from "../../model/load-model.ts";
import {
  FAITHFULNESS,
  type Faithfulness,
  type FaithfulnessMeasure,
  faithfulness,
} from "../../results/faithfulness.ts";
import { originOf } from "../../results/origin.ts";
import type { Measured } from "../../results/segmentation-evaluation.ts";
import { inTemporaryFolder } from "../../support/files.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import type { MaskedImages } from "./masked-images.ts";
import { type ClassProbes, classProbes, type Method, methodsOf } from "./methods.ts";
import { FOREGROUND, IGNORED, interval, resamples } from "./metrics.ts";
import { maskedPasses, type RejectedImage } from "./passes.ts";
import { layersOf } from "./segmentation.ts";
import { enlarge, foregroundShare, maskOf } from "./truth.ts";

/** How maps are evaluated. */
export interface FaithfulnessOptions extends EvaluateOptions {
  /** Steps in which patches come and go. Default: 8. */
  readonly steps?: number;
  /** Images whose maps are compared with those of shuffled networks; 0 leaves that out. Default: 50. */
  readonly sanityImages?: number;
}

/**
 * Measures every map of the product on images whose masks are known.
 *
 * Costs 2·(steps − 1) passes of the encoder a map, and for each layer, where networks are shuffled, a copy of the checkpoint in
 * the system's folder for temporary files.
 * @param sets the first is what all others are compared with
 * @throws `MASKS_INVALID` when nothing is left to evaluate, `CANCELLED`
 * @example
 * ```ts
 * import { openModel, parseHeads } from "clip-interpret";
 * import { corpusMasks, evaluateMaps } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scenes = await corpusMasks("examples/scenes");
 * const some = { ...scenes, images: scenes.images.slice(0, 2) };
 * const { methods } = await evaluateMaps(model, some, [parseHeads(model, "all")], { draws: 50, sanityImages: 0, steps: 4 });
 * console.log(methods[0].name, methods[0].measures.pointing.value); // → all 1
 * ```
 */
export async function evaluateMaps(
  model: ClipModel,
  { source, ofWorld, classes, images, unmatched }: MaskedImages,
  sets: readonly NamedSet[],
  options: FaithfulnessOptions = {},
): Promise<Faithfulness> {
  const { exif = true, leastShare = 0.01, draws = 1000, seed = 0, steps = 8, sanityImages = 50 } = options;
  const work = {
    ...(options.report && { report: options.report }),
    ...(options.signal && { signal: options.signal }),
  };
  const probes = await classProbes(
    model,
    classes.map(({ texts }) => texts),
    work,
  );
  const methods = methodsOf(model, sets, probes);
  const tokenLayers = [...new Set(sets.flatMap(({ set }) => layersOf(set)))].sort((a, b) => a - b);
  const pass = { tokenLayers, exif, leastShare };
  const rejected: RejectedImage[] = [];
  const { grid } = model.config.vision;
  /** Of each method and measure a number a map. */
  const scores = methods.map(() => byMeasure((): number[] => []));
  const ofImage: number[] = [];
  const kept: KeptMaps[] = [];
  let [evaluated, leftOut, foreground, whole, empty] = [0, 0, 0, 0, 0];
  for await (const one of maskedPasses(model, images, { ...pass, ...work }, rejected)) {
    const image = evaluated++;
    leftOut += one.leftOut;
    const covering = coverer(model, one.pass.pixels);
    const ends = await probabilities(model, [covering(() => true), covering(() => false)], probes);
    for (const [truth] of one.present) {
      const mask = maskOf(one.found, truth);
      const [bare, full] = [ends[0][truth], ends[1][truth]];
      foreground += foregroundShare(mask);
      whole += full;
      empty += bare;
      ofImage.push(image);
      const maps = [];
      for (const [m, method] of methods.entries()) {
        const map = await method.map(one.pass, truth);
        maps.push(map);
        const large = enlarge(map, grid, model);
        scores[m].pointing.push(pointsInside(large, mask) ? 1 : 0);
        scores[m].energy.push(energyInside(large, mask));
        const pictures = curvePictures(covering, map, steps);
        const seen = pictures.length > 0 ? await probabilities(model, pictures, probes) : [];
        const curve = seen.map((all) => all[truth]);
        scores[m].deletion.push(area([full, ...curve.slice(0, steps - 1), bare]));
        scores[m].insertion.push(area([bare, ...curve.slice(steps - 1), full]));
      }
      if (image < sanityImages) kept.push({ path: one.masked.image, truth, image, maps });
    }
  }
  const counted = resamples(evaluated, draws, seed);
  const means = (values: readonly number[]) => bootstrapMeans(values, ofImage, counted);
  const measured = scores.map((own) => byMeasure((measure) => means(own[measure])));
  const sanity =
    kept.length > 0
      ? await shuffledLikeness(model, images, sets, probes, kept, { ...pass, ...work, draws, seed })
      : null;
  const maps = ofImage.length;
  return faithfulness(await originOf({ model }), {
    ...{
      source,
      foreign: isEmbedded(model.name) && !ofWorld,
      images: evaluated,
      maps,
      classes: classes.length,
    },
    ...{ foreground: foreground / maps, steps, probability: { whole: whole / maps, empty: empty / maps } },
    ...{ draws, seed, leftOut, leastShare },
    shuffled: sanity?.layers ?? [],
    sanityImages: new Set(kept.map(({ image }) => image)).size,
    methods: methods.map(({ name, paper, components, readsClass }, m) => ({
      ...{ name, paper, components, readsClass },
      measures: byMeasure((measure) => interval(measured[m][measure].whole, measured[m][measure].drawn)),
      difference: byMeasure((measure) => {
        const [own, first] = [measured[m][measure], measured[0][measure]];
        return interval(
          own.whole - first.whole,
          own.drawn.map((value, i) => value - first.drawn[i]),
        );
      }),
      sanity: sanity?.likeness[m] ?? null,
    })),
    rejected,
    unmatched: [...unmatched],
  });
}

const byMeasure = <T>(of: (measure: FaithfulnessMeasure) => T): Record<FaithfulnessMeasure, T> =>
  Object.fromEntries(FAITHFULNESS.map((measure) => [measure, of(measure)])) as Record<FaithfulnessMeasure, T>;

/** Whether the highest pixel is foreground; the first of equal ones counts. */
export function pointsInside(map: Float64Array, mask: Int8Array): boolean {
  let best = 0;
  for (let i = 1; i < map.length; i++) if (map[i] > map[best]) best = i;
  return mask[best] === FOREGROUND;
}

/** The share of positive values on labelled pixels that is foreground; 0 where nothing is positive. */
export function energyInside(map: Float64Array, mask: Int8Array): number {
  let [inside, all] = [0, 0];
  for (const [i, value] of map.entries()) {
    if (value <= 0 || mask[i] === IGNORED) continue;
    all += value;
    if (mask[i] === FOREGROUND) inside += value;
  }
  return all === 0 ? 0 : inside / all;
}

/** The area under points at equal distances from 0 to 1 (trapezoids). */
export function area(points: readonly number[]): number {
  const inner = points.reduce((sum, value) => sum + value, 0) - (points[0] + points[points.length - 1]) / 2;
  return inner / (points.length - 1);
}

/** The order in which a map's patches come and go: highest first, equal ones as they are read. */
export const rankedPatches = (map: Float64Array): number[] =>
  [...map.keys()].sort((a, b) => map[b] - map[a] || a - b);

/** Patches away, then patches there, a picture a step between nothing and all. */
function curvePictures(covering: Covering, map: Float64Array, steps: number): Float32Array[] {
  const ranks = new Int32Array(map.length);
  for (const [rank, patch] of rankedPatches(map).entries()) ranks[patch] = rank;
  const cuts = Array.from({ length: steps - 1 }, (_, step) => Math.round(((step + 1) * map.length) / steps));
  return [
    ...cuts.map((cut) => covering((patch) => ranks[patch] < cut)),
    ...cuts.map((cut) => covering((patch) => ranks[patch] >= cut)),
  ];
}

/** An image without the patches that are covered: they have its mean colour. */
type Covering = (covered: (patch: number) => boolean) => Float32Array;

function coverer({ config: { vision } }: ClipModel, pixels: Float32Array): Covering {
  const { imageSize, patchSize, grid } = vision;
  const plane = imageSize * imageSize;
  const means = [0, 1, 2].map(
    (channel) =>
      pixels.subarray(channel * plane, (channel + 1) * plane).reduce((sum, value) => sum + value, 0) / plane,
  );
  return (covered) => {
    const result = pixels.slice();
    for (let patch = 0; patch < grid * grid; patch++) {
      if (!covered(patch)) continue;
      const [top, left] = [Math.floor(patch / grid) * patchSize, (patch % grid) * patchSize];
      for (const [channel, mean] of means.entries()) {
        for (let row = top; row < top + patchSize; row++) {
          const start = channel * plane + row * imageSize + left;
          result.fill(mean, start, start + patchSize);
        }
      }
    }
    return result;
  };
}

/** Of each picture the probabilities of all classes: the softmax of scaled cosines. */
async function probabilities(
  model: ClipModel,
  pictures: readonly Float32Array[],
  { plain }: ClassProbes,
): Promise<Float64Array[]> {
  const batch = new Float32Array(pictures.length * pictures[0].length);
  for (const [i, picture] of pictures.entries()) batch.set(picture, i * picture.length);
  const { embedding, norm } = await model.decompose(batch);
  return pictures.map((_, i) => {
    const logits = Float64Array.from(
      plain,
      (probe) => (model.logitScale * dot(embedding, probe, i * probe.length)) / norm[i],
    );
    const most = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - most));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  });
}

/** A mean over maps, on all images and in each resample of them. */
function bootstrapMeans(
  values: readonly number[],
  ofImage: readonly number[],
  draws: readonly Uint16Array[],
): { readonly whole: number; readonly drawn: number[] } {
  const meanOf = (times: (index: number) => number) => {
    let [sum, count] = [0, 0];
    for (const [i, value] of values.entries()) {
      sum += times(i) * value;
      count += times(i);
    }
    return count === 0 ? 0 : sum / count;
  };
  return { whole: meanOf(() => 1), drawn: draws.map((draw) => meanOf((i) => draw[ofImage[i]])) };
}

/** Maps of one class of one image, by every method. */
interface KeptMaps {
  readonly path: string;
  readonly truth: number;
  readonly image: number;
  readonly maps: readonly Float64Array[];
}

/** The maps' rank correlations with those of the network whose layers are shuffled, from the last down. */
async function shuffledLikeness(
  model: ClipModel,
  images: MaskedImages["images"],
  sets: readonly NamedSet[],
  probes: ClassProbes,
  kept: readonly KeptMaps[],
  {
    draws,
    seed,
    ...options
  }: Parameters<typeof maskedPasses>[2] & Required<Pick<EvaluateOptions, "draws" | "seed">>,
): Promise<{ layers: string[]; likeness: Measured[][] }> {
  const paths = new Set(kept.map(({ path }) => path));
  const chosen = images.filter(({ image }) => paths.has(image));
  const ofImage = kept.map(({ image }) => image);
  const counted = resamples(Math.max(...ofImage) + 1, draws, seed);
  const layers: string[] = [];
  const likeness: Measured[][] = methodsOf(model, sets, probes).map(() => []);
  await inTemporaryFolder("shuffled", async (folder) => {
    await copyCheckpoint(model.checkpoint.folder, folder, model.config, options.signal);
    const copy = await loadCheckpoint(folder);
    for (let layer = model.config.vision.layers - 1; layer >= 0; layer--) {
      await shuffleTensors(tensorsIn(copy.weights.vision.blocks[layer]), SHUFFLED + layer);
      layers.push(`L${layer}`);
      const { registers = [] } = model.config.vision;
      const random = await loadClipModel(folder, undefined, { registers });
      const methods: Method[] = methodsOf(random, sets, probes);
      const correlations = methods.map((): number[] => []);
      for await (const { masked, pass, present } of maskedPasses(random, chosen, options, [])) {
        const own = kept.filter(({ path }) => path === masked.image);
        for (const [truth] of present) {
          const before = own.find((maps) => maps.truth === truth)!;
          for (const [m, method] of methods.entries())
            correlations[m].push(
              rankCorrelation([...before.maps[m]], [...(await method.map(pass, truth))]) ?? 0,
            );
        }
      }
      for (const [m, values] of correlations.entries()) {
        const { whole, drawn } = bootstrapMeans(values, ofImage, counted);
        likeness[m].push(interval(whole, drawn));
      }
      await random.release();
    }
  });
  return { layers, likeness };
}

/** The seed of shuffled weights. */
const SHUFFLED = 0xadeb;
