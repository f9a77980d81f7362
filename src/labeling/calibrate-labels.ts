/** Labels of a file beside what their heads truly respond to, on images whose factors are known. */
import { measureSelectivity } from "../analysis/selectivity/selectivity.ts";
import type { Index } from "../corpus/open-index.ts";
import { type LabelsFile, listedLabels, oneLabelEach } from "../labels/labels-file.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { allHeads, componentNames } from "../model/components.ts";
import { type CalibrateResult, calibrateResult, type Meaning } from "../results/calibrate.ts";
import { originOf } from "../results/origin.ts";
import { headNamed } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { TextPool } from "../text/pool.ts";
import { calibrate } from "./calibration.ts";
import { requireHeads } from "./manual.ts";
import { matchLabel, type SynonymMap } from "./synonym-map.ts";
import { truthOf } from "./truth.ts";

/** What labels are calibrated with. */
export interface CalibrateOptions extends WorkOptions {
  /** The labels file's path, and what an origin says of it. */
  readonly path: string;
  readonly labels: Pick<LabelsFile, "name" | "sha256">;
  /** Its properties say which factors a label may name. */
  readonly pool: TextPool;
  readonly synonyms?: SynonymMap;
  /** Labels dealt out again at random. Default: 2,000. */
  readonly permutations?: number;
  readonly seed?: number;
}

/** Of the selectivity: the factors' own baseline is not needed here. */
const FACTOR_PERMUTATIONS = 1;

/**
 * Calibrates the labels of a file.
 * @throws `FACTORS_MISSING` where the images know no two of the pool's properties; `LABELS_MISSING` where nobody judged;
 *   `HEADS_INVALID`, `JSON_INVALID` of the file; `CANCELLED`
 */
export async function calibrateLabels(
  model: ClipModel,
  index: Index,
  { path, labels, pool, synonyms = {}, permutations, seed = 0, ...work }: CalibrateOptions,
): Promise<CalibrateResult> {
  const listed = oneLabelEach(await listedLabels(path, model.name), path);
  requireHeads(listed, componentNames(allHeads(model.geometry), model.geometry), path);
  const heads = Object.entries(listed.heads).map(([name, own]) => ({ ...headNamed(name), ...own }));
  const judged = heads.filter(({ consistent }) => consistent.length > 0);
  if (judged.length === 0) {
    const why = `no head of ${path} was judged, so it has no CCS; \`label --index … --labeller manual --labels ${path} --judge tags --out …\` judges`;
    throw new ClipInterpretError("LABELS_MISSING", why);
  }
  const selectivity = await measureSelectivity(model, index, {
    ...work,
    seed,
    permutations: FACTOR_PERMUTATIONS,
  });
  const truth = truthOf(index, selectivity, pool);
  if (!truth) {
    const why = `the images of ${index.name} know fewer than two of the properties of the pool ${pool.name}`;
    throw new ClipInterpretError("FACTORS_MISSING", why);
  }
  const meanings = new Map<string, Meaning>();
  const inFactors = judged.map(({ layer, head, name, label, consistent }) => {
    const factor = matchLabel(label, truth.factors, synonyms);
    const meaning = meanings.get(label) ?? { label, factor: factor ?? null, heads: [] };
    meanings.set(label, { ...meaning, heads: [...meaning.heads, { layer, head, name }] });
    return { layer, head, name, label: factor ?? label, consistent };
  });
  const group = { model: model.name, layers: model.config.vision.layers, heads: inFactors, truth };
  return calibrateResult(await originOf({ model, index, pool, labels }), {
    labellers: [...new Set(judged.map(({ labeller }) => labeller.by || labeller.kind))],
    factors: [...truth.factors],
    meanings: [...meanings.values()].sort(
      (a, b) => b.heads.length - a.heads.length || (a.label < b.label ? -1 : 1),
    ),
    left: heads
      .filter(({ consistent }) => consistent.length === 0)
      .map(({ layer, head, name }) => ({ layer, head, name })),
    calibration: calibrate([group], { seed, ...(permutations !== undefined && { permutations }) }),
  });
}
