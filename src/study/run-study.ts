/** A study: several models through the same steps, side by side. */

import { KNOWN_MODELS } from "../hub/known-models.ts";
import { type CalibrationGroup, calibrate } from "../labeling/calibration.ts";
import { beyond, equalTerms, rarefyByFold } from "../labeling/equal-terms.ts";
import { measureLabels } from "../labeling/metrics.ts";
import { compareSizes, type SizedModel } from "../labeling/size-comparison.ts";
import { findPublished } from "../labels/published.ts";
import { listModels } from "../model/catalogue.ts";
import { createModelLoader, type ModelLoader } from "../model/registry.ts";
import { originOf } from "../results/origin.ts";
import { headNamed } from "../results/shapes.ts";
import {
  type PublishedRow,
  type StudyModel,
  type StudyResult,
  type StudySettings,
  studyResult,
} from "../results/study.ts";
import { codeVersion } from "../support/code-version.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import { defaultPool, loadPool } from "../text/pool.ts";
import { indexFor, type RunOptions } from "./inputs.ts";
import type { LabellingChoice } from "./labelling.ts";
import { measureModel } from "./measure-model.ts";
import { createSteps } from "./steps.ts";

/** What is studied, and how. */
export interface StudyOptions extends RunOptions, Partial<Omit<StudySettings, "labelling">> {
  /** Who names and judges a model's heads; by default the pool's tags do both. */
  readonly labelling?: LabellingChoice;
}

/** What is done when nothing else is asked for. */
export const STUDY_DEFAULTS: StudySettings = {
  heads: "last4",
  iterations: 10,
  blocks: 64,
  resamples: 200,
  draws: 1000,
  permutations: 20,
  seed: 0,
};

/** A study's result, with where the images of each model lie (for thumbnails; not part of the report). */
export interface Study {
  readonly result: StudyResult;
  readonly imageRoots: Readonly<Record<string, string>>;
}

/**
 * Runs a study, or goes on with one that was stopped: what a finished step gave is kept, and taken again where the code,
 * weights, images, pool and settings are the same. The same inputs give the same report, to the byte.
 * @throws `USAGE` for a model named twice or an index of a model that is not studied; what loading models, indexing and
 *   TEXTSPAN throw; `CANCELLED`
 * @example
 * ```ts
 * import { runStudy } from "clip-interpret";
 *
 * const { result } = await runStudy({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", iterations: 3, resamples: 2, draws: 10, permutations: 2 },
 * });
 * console.log(result.models[0].heads.length, "heads"); // → 4 heads
 * ```
 */
export async function runStudy(options: StudyOptions): Promise<Study> {
  if (options.loader) return studyModels(options.loader, options);
  const loader = createModelLoader();
  try {
    return await studyModels(loader, options);
  } finally {
    await loader.release();
  }
}

async function studyModels(loader: ModelLoader, options: StudyOptions): Promise<Study> {
  const { models, indexes = {}, threads = 0, report, signal } = options;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const { labelling } = options;
  const settings = {
    ...Object.fromEntries(
      Object.entries(STUDY_DEFAULTS).map(([key, value]) => [
        key,
        options[key as keyof StudySettings] ?? value,
      ]),
    ),
    ...(labelling && { labelling: { labeller: labelling.labeller, asked: labelling.asked } }),
  } as unknown as StudySettings;
  refuseTwice(models);
  const stray = Object.keys(indexes).filter((name) => !models.includes(name));
  if (stray.length > 0)
    throw new ClipInterpretError("USAGE", `an index was named for ${stray.join(", ")}, which is not studied`);
  const code = await codeVersion();
  const steps = createSteps(options.stepsFolder);
  const catalogue = await listModels();
  const measured: StudyModel[] = [];
  const groups: CalibrationGroup[] = [];
  const sized: SizedModel[] = [];
  const imageRoots: Record<string, string> = {};
  for (const wanted of models) {
    checkCancelled(signal);
    const model = await loader.load(wanted);
    const index = await indexFor(model, { index: indexes[wanted], images: options.images }, work);
    const pool = await loadPool(options.texts ?? defaultPool(model.name), work);
    const { trainedOn = null } = catalogue.find(({ name }) => name === model.name) ?? {};
    const found = await measureModel({
      ...work,
      ...{ model, index, pool, settings, steps, trainedOn, threads, code },
      ...(labelling && { labelling: await labelling.of(model, pool) }),
    });
    measured.push(found.model);
    sized.push({ name: model.name, size: found.model.shape.size, ...found.judged });
    imageRoots[model.name] = index.manifest.root;
    if (found.calibration) groups.push(found.calibration);
  }
  refuseTwice(measured.map(({ origin }) => origin.model.name));
  const { draws: permutations, seed } = settings;
  return {
    imageRoots,
    result: studyResult(await originOf({}), {
      code,
      settings,
      models: measured,
      sizes: compareSizes(sized),
      calibration: groups.length === 0 ? null : calibrate(groups, { permutations, seed }),
      published: await publishedRows(),
    }),
  };
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ClipInterpretError("USAGE", `the model ${twice} is named twice`);
}

/** The paper's six models, by what is printed and by what their published labels give. */
export async function publishedRows(): Promise<PublishedRow[]> {
  const paper = KNOWN_MODELS.filter((model) => model.paper);
  const found = await Promise.all(
    paper.map(async ({ name, layers, heads, patch, trainedOn }) => {
      const published = await findPublished(name, { vision: { layers, heads } });
      if (!published) return [];
      const labelled = published.heads.map(({ head, label }) => ({
        ...headNamed(head),
        ...{ label, consistent: [] },
      }));
      return [{ published, name, patch, trainedOn, layers, heads: labelled }];
    }),
  );
  const rows = found.flat();
  const least = Math.min(...rows.map(({ heads }) => heads.length));
  const terms = equalTerms(rows);
  return rows.map(({ published, name: model, patch, trainedOn, layers, heads }) => {
    const { entanglement, duplicates, prefix } = measureLabels(heads);
    return {
      ...{ model, trainedOn, layers, patch, heads: heads.length },
      printed: { entanglement: published.entanglement, association: published.association },
      consistency: published.consistency,
      computed: { entanglement, duplicates, prefix },
      equalHeads: rarefyByFold(heads, least),
      equalDepth: rarefyByFold(beyond({ layers, heads }, terms.from), terms.heads),
    };
  });
}
