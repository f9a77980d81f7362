import { fileURLToPath } from "node:url";
import { z } from "zod";
import { measureBaselines } from "../../labeling/baselines.ts";
import { pluralityByChance } from "../../labeling/chance.ts";
import type { Described } from "../../labeling/labeller.ts";
import { measureByLayer, measureByProperty, measureLabels } from "../../labeling/metrics.ts";
import { tagJudge, tagLabeller } from "../../labeling/tags.ts";
import { type Labels, readLabels } from "../../labels/labels-file.ts";
import { metricsResultSchema } from "../../results/metrics.ts";
import { readJson } from "../../support/files.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { labelMetricsText } from "../../views/metrics/terminal.ts";
import type { Register } from "../command.ts";
import { wholeNumber } from "../strings.ts";

interface MetricsOptions {
  readonly labels: readonly string[];
  readonly texts?: string;
  readonly draws: number;
  readonly seed: number;
}

const collect = (value: string, known: readonly string[] | undefined) => [...(known ?? []), value];
const PUBLISHED = fileURLToPath(new URL("../../../assets/published/head-labels.json", import.meta.url));

/** `metrics --labels FILE…`: how consistent labels are, and how much heads share them. */
export const registerMetrics: Register = (program, run) => {
  program
    .command("metrics")
    .description("measure how consistent head labels are (CCS, association) and how much heads share them")
    .requiredOption(
      "--labels <file>",
      "labels that `label` wrote, or by hand; `published` for those of the paper; once or more",
      collect,
    )
    .option("--texts <pool>", "the pool the descriptions come from (default: the one for the model)")
    .option("--draws <n>", "draws of each baseline", wholeNumber(1, 100_000), 1000)
    .option("--seed <n>", "chooses the draws", wholeNumber(0), 0)
    .action(
      run(async ({ report, signal, result, streams }, options: MetricsOptions) => {
        const files = [];
        for (const file of options.labels) {
          for (const labels of await readAll(file === "published" ? PUBLISHED : file)) {
            files.push(await measureFile(file, labels, options, { report, signal }));
          }
        }
        const json = metricsResultSchema.parse({ files });
        result(json, () => labelMetricsText(json.files, { columns: streams.stdout.columns ?? 100 }));
      }),
    );
};

const severalSchema = z.object({ models: z.record(z.string(), z.unknown()) });

/** The labels of a file, or of each model in it. */
async function readAll(file: string): Promise<Labels[]> {
  const several = severalSchema.safeParse(await readJson(file));
  if (!several.success) return [await readLabels(file)];
  const all: Labels[] = [];
  for (const model of Object.keys(several.data.models)) all.push(await readLabels(file, model));
  return all;
}

async function measureFile(file: string, labels: Labels, options: MetricsOptions, work: WorkOptions) {
  const entries = Object.entries(labels.heads);
  const heads = entries.map(([head, { label, consistent }]) => ({ head, label, consistent }));
  const byTags =
    entries.length > 0 &&
    entries.every(([, { labeller, judge, tags }]) => {
      return labeller.kind === "tags" && judge?.kind === "tags" && tags.length > 0;
    });
  const described = entries.map(
    ([head, { descriptions, tags, explainedVariance }]): Described => ({
      head,
      descriptions: descriptions.map((text, i) => ({
        ...{ text, property: tags[i] ?? null },
        explainedVariance: explainedVariance[i] ?? 0,
      })),
    }),
  );
  const pool = byTags ? await loadPool(options.texts ?? defaultPool(labels.model), work) : undefined;
  const { draws, seed } = options;
  const labelling = { labeller: tagLabeller(""), judge: tagJudge("") };
  const makers = entries.map(([, { labeller }]) => labeller.by || labeller.kind);
  const judges = entries.flatMap(([, { judge }]) => (judge ? [judge.by || judge.kind] : []));
  return {
    file,
    model: labels.model,
    labellers: [...new Set(makers)],
    judges: [...new Set(judges)],
    metrics: measureLabels(heads),
    byLayer: measureByLayer(heads),
    byProperty: measureByProperty(heads),
    chanceCcs: pool ? pluralityByChance(pool.texts) : null,
    baselines: pool
      ? await measureBaselines(described, pool.texts, labelling, { draws, seed, ...work })
      : null,
  };
}
