import { type Labels, type LabelsFile, oneLabelEach, readLabelsFile } from "../labels/labels-file.ts";
import { PUBLISHED_LABELS } from "../labels/published.ts";
import { type MeasuredFile, type MetricsResult, metricsResult } from "../results/metrics.ts";
import { originOf } from "../results/origin.ts";
import { headNamed } from "../results/shapes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";
import { defaultPool, loadPool } from "../text/pool.ts";
import { agreementOf, joinVotes } from "./agreement.ts";
import { measureBaselines } from "./baselines.ts";
import { pluralityByChance } from "./chance.ts";
import { rarefyByFold } from "./equal-terms.ts";
import { type JudgedHead, measureByLayer, measureByProperty, measureLabels } from "./metrics.ts";
import { tagJudge, tagLabeller } from "./tags.ts";

/** How labels are measured. */
export interface MeasureOptions extends WorkOptions {
  /** The pool that the descriptions come from; by default the one that fits the model. */
  readonly texts?: string;
  /** Of each baseline. Default: 1,000. */
  readonly draws?: number;
  readonly seed?: number;
}

/**
 * Measures the labels of some files, of each model in them.
 * @param files paths; `published` for the labels of the paper
 * @throws what reading labels and pools throws; `CANCELLED`
 */
export async function measureLabelFiles(
  files: readonly string[],
  options: MeasureOptions = {},
): Promise<MetricsResult> {
  const measured: Measured[] = [];
  for (const file of files) {
    const path = file === "published" ? PUBLISHED_LABELS : file;
    const { models, name, sha256 } = await readLabelsFile(path);
    const origin = { name: file === "published" ? file : name, sha256 };
    if (models.every(({ heads }) => Object.keys(heads).length === 0))
      throw new ClipInterpretError("LABELS_MISSING", `${path} labels no head`);
    for (const listed of models)
      measured.push(await measureModel(oneLabelEach(listed, path), origin, options));
  }
  const fewest = Math.min(...measured.map(({ heads }) => heads.length));
  return metricsResult(await originOf({}), {
    files: measured.map(({ heads, ...file }) => ({
      ...file,
      equalHeads: measured.length > 1 ? rarefyByFold(heads, fewest) : null,
    })),
  });
}

/** A model's metrics, and the heads that they are of. */
type Measured = Omit<MeasuredFile, "equalHeads"> & { readonly heads: readonly JudgedHead[] };

async function measureModel(
  { model, heads: labelled }: Labels,
  labels: Pick<LabelsFile, "name" | "sha256">,
  { texts, draws, seed, ...work }: MeasureOptions,
): Promise<Measured> {
  const entries = Object.entries(labelled).map(([name, label]) => ({ ...label, ...headNamed(name) }));
  const byTags = entries.every(
    ({ labeller, judge, tags }) => labeller.kind === "tags" && judge?.kind === "tags" && tags.length > 0,
  );
  const pool = byTags && entries.length > 0 ? await loadPool(texts ?? defaultPool(model), work) : undefined;
  const described = entries.map(({ descriptions, tags, explainedVariance, layer, head, name }) => ({
    ...{ layer, head, name },
    descriptions: descriptions.map((text, i) => ({
      ...{ text, property: tags[i] ?? null },
      explainedVariance: explainedVariance[i] ?? 0,
    })),
  }));
  const labelling = { labeller: tagLabeller(""), judge: tagJudge("") };
  const makers = entries.map(({ labeller }) => labeller.by || labeller.kind);
  const judges = entries.flatMap(({ judge }) => (judge ? [judge.by || judge.kind] : []));
  const settings = { ...work, ...(draws !== undefined && { draws }), ...(seed !== undefined && { seed }) };
  return {
    origin: await originOf({ labels, ...(pool && { pool }) }),
    model,
    labellers: [...new Set(makers)],
    judges: [...new Set(judges)],
    agreement: agreementOf(joinVotes(entries.map(({ judge }) => judge?.votes ?? []))),
    heads: entries,
    metrics: measureLabels(entries),
    byLayer: measureByLayer(entries),
    byProperty: measureByProperty(entries),
    chanceCcs: pool ? pluralityByChance(pool.texts) : null,
    baselines: pool ? await measureBaselines(described, pool.texts, labelling, settings) : null,
  };
}
