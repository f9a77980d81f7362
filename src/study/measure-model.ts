/** One model of a study, step by step: descriptions, selectivity, labels by all and by resampled images, metrics. */
import { basename } from "node:path";
import { findNeighbors } from "../analysis/neighbors/neighbors.ts";
import { measureSelectivity, type SelectivityOptions } from "../analysis/selectivity/selectivity.ts";
import { describeHeads } from "../analysis/textspan/describe-heads.ts";
import { type ResampledHead, resampleDescriptions } from "../analysis/textspan/resample-descriptions.ts";
import { hashIndex } from "../corpus/hash-index.ts";
import type { Index } from "../corpus/open-index.ts";
import { createSearch } from "../corpus/search.ts";
import {
  intervalsOf,
  judgeHeads,
  measureBaselines,
  type OfflineLabelling,
  shuffled,
} from "../labeling/baselines.ts";
import { type CalibrationGroup, calibrate } from "../labeling/calibration.ts";
import { pluralityByChance } from "../labeling/chance.ts";
import type { HeadsOfModel } from "../labeling/equal-terms.ts";
import { measureLabelBaselines } from "../labeling/label-baselines.ts";
import type { Described } from "../labeling/labeller.ts";
import {
  ccsOf,
  countLabels,
  DESCRIPTIONS,
  type JudgedHead,
  measureByLayer,
  measureByProperty,
  measureLabels,
} from "../labeling/metrics.ts";
import { tagJudge, tagLabeller } from "../labeling/tags.ts";
import { truthOf } from "../labeling/truth.ts";
import { percentileInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { type ComponentSet, parseComponents } from "../model/components.ts";
import { embedTexts } from "../model/text-cache.ts";
import { valuesOf } from "../results/metrics.ts";
import { originOf } from "../results/origin.ts";
import type { SelectivityResult } from "../results/selectivity.ts";
import type { ModelShape, StudyHead, StudyImage, StudyModel, StudySettings } from "../results/study.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import { VERSION } from "../support/version.ts";
import type { TextPool } from "../text/pool.ts";
import { asFactors, labelForStudy, type StudyLabelling } from "./labelling.ts";
import type { Steps } from "./steps.ts";

/** What a model is measured with. */
export interface ModelWork extends WorkOptions {
  readonly model: ClipModel;
  readonly index: Index;
  readonly pool: TextPool;
  readonly settings: StudySettings;
  readonly steps: Steps;
  /** SHA-256 of the code that computes. */
  readonly code: string;
  readonly trainedOn: string | null;
  readonly threads: number;
  /** Who names and judges instead of the pool's tags. */
  readonly labelling?: StudyLabelling;
}

/** A measured model, and its part in the calibration over all models. */
export interface MeasuredModel {
  readonly model: StudyModel;
  readonly calibration: CalibrationGroup | null;
  readonly judged: HeadsOfModel;
}

/** Images that are shown of each head. */
const SHOWN = 6;
const LABELLER = "the commonest tag of the first five descriptions";
const JUDGE = "a description fits if its tag is the label";

/**
 * Measures one model over one index.
 * @throws `TAGS_MISSING` for a pool without properties, `NO_IMAGES`, `HEADS_INVALID`, `CANCELLED`, `OUTPUT_UNWRITABLE`
 */
export async function measureModel(work: ModelWork): Promise<MeasuredModel> {
  const { model, index, pool, settings } = work;
  if (pool.texts.every(({ property }) => property === null))
    throw new ClipInterpretError("TAGS_MISSING", `no text of the pool ${pool.name} has a property`);
  const set = headsOf(model, settings.heads);
  const found = await runSteps(work, set);
  const { described, selectivity } = found;
  const { judged, again, ...labelled } = await (work.labelling
    ? labelOtherwise(work, work.labelling, found)
    : labelByTags(work, found));
  const truth = selectivity && truthOf(index, selectivity, pool, found.halves ?? undefined);
  const { layers } = model.config.vision;
  const inFactors = (heads: readonly JudgedHead[]) =>
    work.labelling && truth ? asFactors(heads, truth.factors, work.labelling.synonyms) : heads;
  const calibration = truth
    ? { model: model.name, layers, heads: inFactors(judged), truth, resamples: again.map(inFactors) }
    : null;
  const { draws, seed } = settings;
  const names = new Set(judged.map(({ name }) => name));
  return {
    calibration,
    judged: { layers, heads: judged },
    model: {
      // A file's name, not where it lies.
      origin: await originOf({ model, index, pool: { ...pool, name: basename(pool.name) } }),
      shape: shapeOf(model, work.trainedOn),
      tags: tagsOf(pool),
      ...labelled,
      metrics: measureLabels(judged),
      byLayer: measureByLayer(judged),
      byProperty: measureByProperty(judged),
      unlabelled: described.flatMap(({ name }) => (names.has(name) ? [] : [name])),
      resampled: intervalsOf(again.map((heads) => valuesOf(measureLabels(heads)))),
      calibration: calibration && calibrate([calibration], { permutations: draws, seed }),
      heads: judged.map((head) => studyHead(head, found, again)),
    },
  };
}

/** Labels of all images and of each resample, and what they stand beside. */
interface Labelled
  extends Pick<
    StudyModel,
    "labeller" | "judge" | "baselines" | "labelBaselines" | "chanceCcs" | "agreement"
  > {
  readonly judged: readonly JudgedHead[];
  readonly again: readonly (readonly JudgedHead[])[];
}

/** The pool's tags name and judge. */
async function labelByTags(work: ModelWork, { described, resampled }: Found): Promise<Labelled> {
  const { pool, settings } = work;
  const { draws, seed } = settings;
  // No date: the labels follow from the hashes, whenever they are made.
  const labelling: OfflineLabelling = { labeller: tagLabeller(""), judge: tagJudge("") };
  const again: JudgedHead[][] = [];
  for (const heads of resamplesOf(resampled, pool)) again.push(await judgeHeads(heads, labelling));
  return {
    ...{ labeller: LABELLER, judge: JUDGE, labelBaselines: null, agreement: null, again },
    judged: await judgeHeads(described, labelling),
    baselines: await measureBaselines(described, pool.texts, labelling, { draws, seed, ...workOf(work) }),
    chanceCcs: pluralityByChance(pool.texts),
  };
}

/** Somebody else does: labels that say nothing, seen by the same judge, are what the metrics stand beside. */
async function labelOtherwise(
  work: ModelWork,
  labelling: StudyLabelling,
  { described, resampled }: Found,
): Promise<Labelled> {
  const { settings, signal } = work;
  const { judged, agreement } = await labelForStudy(described, labelling, workOf(work));
  const most = labelling.asks ? (settings.labelling?.asked ?? 0) : Number.POSITIVE_INFINITY;
  const again: JudgedHead[][] = [];
  for (const heads of resamplesOf(resampled, work.pool).slice(0, most))
    again.push((await labelForStudy(heads, labelling, signal ? { signal } : {})).judged);
  const labelBaselines = await measureLabelBaselines(judged, described, labelling.judge, {
    ...{ draws: Math.min(settings.draws, most), seed: settings.seed, concurrency: labelling.concurrency },
    ...workOf(work),
  });
  const { words } = labelling;
  return { ...words, judged, again, agreement, labelBaselines, baselines: null, chanceCcs: null };
}

/** What the steps that take time give. */
interface Found {
  /** By all images. */
  readonly described: readonly (Described & { readonly totalVariance: number; readonly rank: number })[];
  readonly resampled: readonly ResampledHead[];
  /** Null where nothing is known of the images. */
  readonly selectivity: SelectivityResult | null;
  /** The same by each half of the images. */
  readonly halves: readonly [SelectivityResult, SelectivityResult] | null;
  /** By the head's name. */
  readonly nearest: Readonly<Record<string, StudyImage[]>>;
}

async function runSteps(work: ModelWork, set: ComponentSet): Promise<Found> {
  const { model, index, pool, settings, steps, code, threads } = work;
  const { iterations, blocks, resamples, permutations, seed } = settings;
  const { geometry, name } = model;
  const options = { ...workOf(work), seed, threads };
  const origin = [VERSION, code, await model.weightsHash(), model.precision, hashIndex(index)];
  const spoken = [...origin, pool.hash, componentKey(set)];
  const described = await steps.run(name, "textspan", [...spoken, iterations, seed], async () => {
    const { heads } = await describeHeads(model, index, set, pool, { ...options, iterations, rotations: 0 });
    return heads.map(({ layer, head, name, descriptions, totalVariance, rank }) => ({
      ...{ layer, head, name, descriptions, totalVariance, rank },
    }));
  });
  const resampled = await steps.run(name, "resamples", [...spoken, blocks, resamples, seed], async () =>
    resampleDescriptions(model, index, set, pool, {
      ...options,
      ...{ iterations: DESCRIPTIONS, resamples, blocks },
    }),
  );
  const selectivity = await steps.run(name, "selectivity", [...origin, permutations, seed], async () => {
    return measureFactors(model, index, { ...options, permutations });
  });
  const halves = await steps.run(name, "selectivity-halves", [...origin, seed], async () => {
    const measured: SelectivityResult[] = [];
    for (const rows of halvesOf(index, seed)) {
      const half = await measureFactors(model, index, { ...options, rows, permutations: 0 });
      if (half) measured.push(half);
    }
    return measured.length === 2 ? ([measured[0], measured[1]] as const) : null;
  });
  const nearest = await steps.run(name, "images", [...spoken, iterations, SHOWN], async () => {
    const search = createSearch(index, geometry, model.matmul);
    const texts = pool.texts.map(({ text }) => text);
    const all = await embedTexts(model, texts, workOf(work));
    const found: Record<string, StudyImage[]> = {};
    for (const { name, descriptions } of described) {
      const [first] = descriptions;
      if (!first) continue;
      const { embedDim } = geometry;
      const embedding = all.subarray(first.index * embedDim, (first.index + 1) * embedDim);
      const read = { name, set: parseComponents(name, geometry) };
      const { neighbors } = await findNeighbors(model, search, { text: first.text, embedding }, read, {
        k: SHOWN,
      });
      found[name] = neighbors.map(({ row, path, label, score }) => {
        return { path, label, score, sha256: index.images[row].sha256 };
      });
    }
    return found;
  });
  return { described, resampled, selectivity, halves, nearest };
}

/** Selectivity; null where nothing is known of the images. */
async function measureFactors(
  model: ClipModel,
  index: Index,
  options: SelectivityOptions,
): Promise<SelectivityResult | null> {
  try {
    return await measureSelectivity(model, index, options);
  } catch (error) {
    if (error instanceof ClipInterpretError && error.code === "FACTORS_MISSING") return null;
    throw error;
  }
}

/** The rows of an index dealt into two halves at random. */
export function halvesOf({ images }: Pick<Index, "images">, seed: number): [number[], number[]] {
  const rows = shuffled([...images.keys()], new Random(seed, 0));
  const half = Math.floor(rows.length / 2);
  return [rows.slice(0, half), rows.slice(half)];
}

/** The heads that are analysed. @throws `HEADS_INVALID` for anything that is no head */
export function headsOf({ geometry }: ClipModel, spec: string): ComponentSet {
  const set = parseComponents(spec, geometry);
  if (set.mlps.length > 0 || set.heads.length === 0)
    throw new ClipInterpretError("HEADS_INVALID", `"${spec}" is not a set of heads`);
  return set;
}

const componentKey = ({ heads }: ComponentSet) => heads.map(({ layer, head }) => [layer, head]);

/** The heads as each resample of the images describes them. */
function resamplesOf(resampled: readonly ResampledHead[], pool: TextPool): Described[][] {
  return Array.from({ length: resampled[0]?.resamples.length ?? 0 }, (_, i) =>
    resampled.map(({ resamples, ...head }) => ({
      ...head,
      descriptions: resamples[i].map(({ index, explainedVariance }) => ({
        ...pool.texts[index],
        explainedVariance,
      })),
    })),
  );
}

function studyHead(judged: JudgedHead, found: Found, again: readonly (readonly JudgedHead[])[]): StudyHead {
  const { layer, head, name, label, consistent } = judged;
  const isThis = (other: { readonly name: string }) => other.name === name;
  const { descriptions, totalVariance, rank } = found.described.find(isThis)!;
  const resampled = again.flatMap((heads) => heads.find(isThis) ?? []);
  const same = resampled.filter((other) => other.label === label).length;
  const ccs = ccsOf(judged) ?? 0;
  const scores = resampled.map((other) => ccsOf(other) ?? 0);
  const own = found.selectivity?.heads.find(isThis);
  return {
    ...{ layer, head, name, label, ccs },
    sameLabel: resampled.length === 0 ? 1 : same / resampled.length,
    ccsResampled: percentileInterval(scores) ?? { mean: ccs, low: ccs, high: ccs },
    descriptions: descriptions.map(({ text, property, explainedVariance }, i) => ({
      ...{ text, property, explained: explainedVariance, fits: consistent[i] ?? null },
    })),
    ...{ totalVariance, rank },
    selectivity: (found.selectivity?.factors ?? []).map(({ name: factor }, f) => {
      const { share, explained, highestByChance } = own!.factors[f];
      return { factor, share, significant: explained > highestByChance };
    }),
    images: found.nearest[name] ?? [],
  };
}

function tagsOf({ texts }: TextPool) {
  const counts = countLabels(texts.flatMap(({ property }) => (property === null ? [] : [property])));
  return [...counts]
    .map(([tag, count]) => ({ tag, texts: count }))
    .sort((a, b) => b.texts - a.texts || (a.tag < b.tag ? -1 : 1));
}

function shapeOf({ config }: ClipModel, trainedOn: string | null): ModelShape {
  const { layers, heads, width, mlpWidth, patchSize, imageSize } = config.vision;
  const size = layers * (4 * width * width + 2 * width * mlpWidth);
  return { layers, headsPerLayer: heads, width, patch: patchSize, imageSize, size, trainedOn };
}

const workOf = ({ report, signal }: WorkOptions): WorkOptions => ({
  ...(report && { report }),
  ...(signal && { signal }),
});
