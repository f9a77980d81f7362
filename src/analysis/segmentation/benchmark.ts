/**
 * The benchmarks of training-free open-vocabulary segmentation: every pixel gets one of all classes, and
 *
 *     mIoU = mean over classes of Σ intersection / Σ union,   sums over the whole set of images.
 *
 * The protocol is the one that SCLIP's authors published and NACLIP's and ClearCLIP's follow, without their refinement of edges
 * (PAMR): the shorter side is made {@link Benchmark.shortSide}, windows of the model's size move by half of it, cosines are scaled by 40,
 * and where there is a background, pixels whose best name has a probability under 0.1 are background.
 *
 * Heads' maps are shares of the cosine, so a patch's value is multiplied by the number of patches: the mean over patches is then
 * what the heads add to the cosine.
 */
import { decodeImage } from "../../image/decode.ts";
import { readMask } from "../../image/mask.ts";
import { toRgb } from "../../image/pixels.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { isEmbedded } from "../../model/embedded.ts";
import { prepareProbe } from "../../model/head-space.ts";
import { scoreTokens } from "../../model/kernel.ts";
import { normalizeAll } from "../../model/pixels.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";
import { type BenchmarkResult, benchmarkResult } from "../../results/benchmark.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf } from "../../results/shapes.ts";
import { nameOnDisk } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { baselinesOf, featuresOf } from "./baselines.ts";
import { type BenchmarkImage, type BenchmarkName, benchmarkImages, benchmarkNamed } from "./benchmarks.ts";
import { fillTemplate, UNLABELLED } from "./masked-images.ts";
import { classProbes } from "./methods.ts";
import { interval, resamples } from "./metrics.ts";
import type { RejectedImage } from "./passes.ts";
import { layersOf } from "./segmentation.ts";
import { labelPixels, resizeBilinear, segmentedSize, type WindowScores, windowStarts } from "./windows.ts";

/** How a benchmark is run. */
export interface BenchmarkOptions extends WorkOptions {
  /** Texts with {} that names are put into. */
  readonly templates: readonly string[];
  /** Names of each class in the benchmark's order, where they are to be others than the benchmark's own. */
  readonly names?: readonly (readonly string[])[];
  /** Only the first so many images. */
  readonly limit?: number;
  /** Default: 40. */
  readonly logitScale?: number;
  /** Default: 0.1; without effect where there is no background. */
  readonly threshold?: number;
  readonly draws?: number;
  readonly seed?: number;
}

/** Windows in one run of the encoder. */
const BATCH = 16;
/** Longest side of an image as it is segmented, for a model that reads squares of {@link READ} pixels. */
const LONGEST = 2048;
const READ = 224;

/**
 * Runs a benchmark with sets of heads beside every method that gives a cosine a patch.
 * @param folder the data set's own folder
 * @throws `INPUT_NOT_FOUND`, `MASKS_INVALID`, `USAGE` for names of another number of classes, `CANCELLED`
 */
export async function runBenchmark(
  model: ClipModel,
  name: BenchmarkName,
  folder: string,
  sets: readonly NamedSet[],
  options: BenchmarkOptions,
): Promise<BenchmarkResult> {
  const { templates, logitScale = 40, draws = 1000, seed = 0, report, signal } = options;
  const { title, classes, classOf, shortSide: published } = benchmarkNamed(name);
  const background = classes[0] === "background";
  const threshold = background ? (options.threshold ?? 0.1) : null;
  const names = options.names ?? classes.map((one) => [one]);
  if (names.length !== classes.length)
    throw new ClipInterpretError("USAGE", `${name} has ${classes.length} classes, not ${names.length}`);
  const images = (await benchmarkImages(name, folder)).slice(0, options.limit);
  const size = model.config.preprocess.size;
  const window = { size, stride: Math.ceil(size / 2), shortSide: Math.round((published * size) / READ) };
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const texts = names.flat().map((one) => templates.map((template) => fillTemplate(template, one)));
  const { plain } = await classProbes(model, texts, work);
  const rule = { classOfName: names.flatMap((own, index) => own.map(() => index)), logitScale, threshold };
  const methods = denseMethods(model, sets, plain);
  const counts = methods.map((): ClassCounts[] => []);
  const rejected: RejectedImage[] = [];
  const task = "segmenting";
  report?.({ type: "start", task, unit: "image", total: images.length });
  for (const [done, image] of images.entries()) {
    checkCancelled(signal);
    try {
      const { truth, ...seen } = await openPair(image, classOf, window);
      const passes = await windowPasses(model, seen, window.size, methods);
      const found = methods.map(({ scores }) => {
        const { down, across, sized } = seen;
        const shown = { ...sized, size: window.size, down, across, grid: model.config.vision.grid };
        return countClasses(
          labelPixels({ ...shown, scores: scores(passes) }, seen.original, rule),
          truth,
          classes.length,
        );
      });
      for (const [m, own] of found.entries()) counts[m].push(own);
    } catch (error) {
      if (!(error instanceof ClipInterpretError) || error.code === "CANCELLED") throw error;
      rejected.push({ path: image.image, code: error.code, message: error.message });
    }
    report?.({ type: "advance", task, done: done + 1, total: images.length });
  }
  report?.({ type: "end", task, done: images.length });
  const evaluated = counts[0].length;
  if (evaluated === 0)
    throw new ClipInterpretError(
      "MASKS_INVALID",
      `none of ${images.length} images could be evaluated; the first: ${rejected[0].message}`,
    );
  const drawn = resamples(evaluated, draws, seed);
  const measured = counts.map((own) => ({
    whole: measureClasses(own, classes.length),
    drawn: drawn.map((times) => measureClasses(own, classes.length, times)),
  }));
  return benchmarkResult(await originOf({ model }), {
    ...{ benchmark: name, title, source: nameOnDisk(folder), foreign: isEmbedded(model.name) },
    ...{
      images: evaluated,
      classes: [...classes],
      background,
      names: texts.length,
      templates: templates.length,
    },
    ...{ window, logitScale, threshold, draws, seed },
    methods: methods.map(({ name: method, paper, components }, m) => {
      const { whole, drawn: all } = measured[m];
      const first = measured[0];
      return {
        ...{ name: method, paper, components },
        meanIou: interval(
          whole.meanIou,
          all.map(({ meanIou }) => meanIou),
        ),
        difference: interval(
          whole.meanIou - first.whole.meanIou,
          all.map(({ meanIou }, i) => meanIou - first.drawn[i].meanIou),
        ),
        pixelAccuracy: interval(
          whole.accuracy,
          all.map(({ accuracy }) => accuracy),
        ),
        classes: whole.ious,
      };
    }),
    rejected,
  });
}

/** An image at the size at which it is segmented, with its mask. */
async function openPair(
  { image, mask: path }: BenchmarkImage,
  classOf: (value: number) => number | undefined,
  { size, stride, shortSide }: BenchmarkResult["window"],
) {
  // Masks are of pictures as they are stored.
  const { mode, data, width, height } = await decodeImage(image, { exif: false });
  const mask = await readMask(path);
  if (mask.width !== width || mask.height !== height)
    throw new ClipInterpretError(
      "MASKS_INVALID",
      `${path} is ${mask.width} × ${mask.height}, its image ${width} × ${height}`,
    );
  const truth = Int16Array.from(mask.values, (value) => {
    const index = classOf(value);
    if (index === undefined)
      throw new ClipInterpretError("MASKS_INVALID", `${path}: no class has the number ${value}`);
    return index;
  });
  const longest = Math.round((LONGEST * size) / READ);
  const sized = segmentedSize(width, height, { shortSide, longest, window: size });
  const picture = resizeBilinear(toRgb(mode, data), { width, height }, sized);
  const [down, across] = [sized.height, sized.width].map((side) => windowStarts(side, size, stride));
  return { picture, truth, sized, down, across, original: { width, height } };
}

/** A method that compares every patch with every name. */
interface DenseMethod extends Pick<BenchmarkResult["methods"][number], "name" | "paper" | "components"> {
  readonly scores: (passes: readonly WindowPass[]) => WindowScores["scores"];
}

/** One window after both passes of the encoder. */
interface WindowPass {
  readonly decomposition: Awaited<ReturnType<ClipModel["decompose"]>>;
  readonly outputs: TokenOutputs;
  /** Which of the batch. */
  readonly image: number;
}

type DenseMethods = DenseMethod[] & { readonly tokenLayers: number[] };

/** Sets of heads, and the baselines that end in a cosine a patch. Those that read no text or follow a gradient have none. */
function denseMethods(
  model: ClipModel,
  sets: readonly NamedSet[],
  probes: readonly Float64Array[],
): DenseMethods {
  const { geometry, config } = model;
  const patches = config.vision.grid ** 2;
  const prepared = probes.map((probe) => prepareProbe(geometry, probe));
  const heads = sets.map(
    ({ name, set }): DenseMethod => ({
      ...{ name, paper: null, components: componentsOf(name, set, geometry) },
      scores: (passes) => (window, probe) => {
        const { decomposition, image } = passes[window];
        const { tokens } = decomposition;
        const values = scoreTokens(geometry, prepared[probe], decomposition, tokens, set, image);
        return values.slice(tokens.prefix, tokens.prefix + patches).map((value) => value * patches);
      },
    }),
  );
  const others = cosineBaselines(model).map(
    ({ title, paper, map }): DenseMethod => ({
      ...{ name: title, paper, components: null },
      scores: (passes) => (window, probe) => map(passes[window].outputs, probes[probe], passes[window].image),
    }),
  );
  const tokenLayers = [...new Set(sets.flatMap(({ set }) => layersOf(set)))].sort((a, b) => a - b);
  return Object.assign([...heads, ...others], { tokenLayers });
}

const cosineBaselines = (model: ClipModel) =>
  baselinesOf(model).filter(({ readsText, feature }) => readsText && !feature?.readsProbe);

/** Both passes of every window, a row after the other. */
async function windowPasses(
  model: ClipModel,
  { picture, sized, down, across }: Omit<Awaited<ReturnType<typeof openPair>>, "truth">,
  size: number,
  { tokenLayers }: DenseMethods,
): Promise<WindowPass[]> {
  const features = featuresOf(cosineBaselines(model), false);
  const corners = down.flatMap((y) => across.map((x) => ({ x, y })));
  const passes: WindowPass[] = [];
  for (let start = 0; start < corners.length; start += BATCH) {
    const batch = corners.slice(start, start + BATCH).map(({ x, y }) => {
      const rgb = new Uint8Array(3 * size * size);
      for (let row = 0; row < size; row++) {
        const from = 3 * ((y + row) * sized.width + x);
        rgb.set(picture.subarray(from, from + 3 * size), 3 * row * size);
      }
      return { rgb };
    });
    const pixels = normalizeAll(batch, model.config.preprocess);
    const decomposition = await model.decompose(pixels, { tokenLayers });
    const outputs = await model.readTokens(pixels, { features });
    passes.push(...batch.map((_, image) => ({ decomposition, outputs, image })));
  }
  return passes;
}

/** Pixels of each class in one image that count: found and there, found, there. */
interface ClassCounts {
  readonly both: Uint32Array;
  readonly found: Uint32Array;
  readonly there: Uint32Array;
}

function countClasses(labels: Int16Array, truth: Int16Array, classes: number): ClassCounts {
  const counts = {
    both: new Uint32Array(classes),
    found: new Uint32Array(classes),
    there: new Uint32Array(classes),
  };
  for (const [i, index] of truth.entries()) {
    if (index === UNLABELLED) continue;
    counts.there[index]++;
    counts.found[labels[i]]++;
    if (labels[i] === index) counts.both[index]++;
  }
  return counts;
}

/** IoU of each class over some images, of which each may count several times. */
function measureClasses(
  images: readonly ClassCounts[],
  classes: number,
  times?: ArrayLike<number>,
): { ious: (number | null)[]; meanIou: number; accuracy: number } {
  const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
  let labelled = 0;
  for (const [i, own] of images.entries()) {
    const weight = times ? times[i] : 1;
    if (weight === 0) continue;
    for (let c = 0; c < classes; c++) {
      both[c] += weight * own.both[c];
      either[c] += weight * (own.found[c] + own.there[c] - own.both[c]);
      labelled += weight * own.there[c];
    }
  }
  const ious = Array.from(either, (union, c) => (union === 0 ? null : both[c] / union));
  const known = ious.filter((iou) => iou !== null);
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  return {
    ious,
    meanIou: known.length === 0 ? 0 : sum(known) / known.length,
    accuracy: labelled === 0 ? 0 : sum(both) / labelled,
  };
}
