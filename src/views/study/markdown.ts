import { METRICS } from "../../labeling/metric-names.ts";
import type { StudyReport } from "../../study/report.ts";
import { csvOf } from "../kit/csv.ts";
import { inlineMarkdown as inline, tableMarkdown } from "../kit/table.ts";
import {
  calibrationTable,
  inputTable,
  labelTable,
  metricTable,
  modelTable,
  publishedTable,
  reliabilityTable,
  seedTable,
  sizeTable,
} from "./tables.ts";
import { findings, METHOD, PUBLISHED, SIZES, TRUTH, titleOf } from "./words.ts";

/** A study as Markdown, without its pictures and heads. */
export function studyMarkdown(report: StudyReport): string {
  const { models, calibration, sizes, code, settings } = report;
  const notices = [...new Set(models.flatMap(({ notice }) => (notice === null ? [] : [notice])))];
  const parts = [
    `# ${inline(titleOf(report))}`,
    ...notices.map((notice) => `> ${inline(notice)}`),
    findings(report)
      .map((finding) => `- ${inline(finding)}`)
      .join("\n"),
    "## Models",
    tableMarkdown(modelTable(report)),
    inline(METHOD),
    ...(calibration === null
      ? []
      : [
          "## How much to believe a label",
          inline(TRUTH),
          tableMarkdown(calibrationTable("All models together", calibration)),
          tableMarkdown(reliabilityTable(calibration)),
          tableMarkdown(labelTable(calibration)),
        ]),
    "## Are larger models more interpretable?",
    inline(SIZES),
    ...(sizes.steps.length > 0 ? [tableMarkdown(sizeTable(report))] : []),
    ...(sizes.seeds === null ? [] : [tableMarkdown(seedTable(report))]),
    "## The paper’s models",
    inline(PUBLISHED),
    tableMarkdown(publishedTable(report)),
    "## All metrics",
    ...models.map((model) => tableMarkdown(metricTable(model))),
    "## How this was made",
    tableMarkdown(inputTable(report)),
    `clip-interpret ${code.version}, modules ${code.sha256.slice(0, 16)}; ${JSON.stringify(settings)}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Every metric of every model as CSV, a line each. */
export function metricsCsv({ models }: StudyReport): string {
  const head = [
    ...["model", "metric", "value", "resampled_low", "resampled_high"],
    ...["random_labels", "shuffled_descriptions", "random_texts", "random_texts_low", "random_texts_high"],
  ];
  const rows = models.flatMap(({ name, metrics, resampled, baselines }) =>
    METRICS.map(({ key, of }) => [
      ...[name, key, of(metrics), resampled[key]?.low, resampled[key]?.high],
      ...[baselines.randomLabels[key]?.mean, baselines.shuffledDescriptions[key]?.mean],
      ...[
        baselines.randomTexts[key]?.mean,
        baselines.randomTexts[key]?.low,
        baselines.randomTexts[key]?.high,
      ],
    ]),
  );
  return csvOf(undefined, head, rows);
}

/** Every head of every model as CSV, a line each; its descriptions in one cell, parted by ` | `. */
export function headsCsv({ models }: StudyReport): string {
  const head = [
    ...["model", "layer", "head", "label", "ccs", "same_label", "strongest_factor", "strongest_share"],
    ...["label_share", "total_variance", "rank", "descriptions"],
  ];
  const rows = models.flatMap(({ name, heads }) =>
    heads.map((one) => {
      const strongest = [...one.selectivity].sort((a, b) => b.share - a.share)[0];
      return [
        ...[name, one.head.split(".")[0], one.head, one.label, one.ccs, one.sameLabel],
        ...[strongest?.factor, strongest?.share],
        one.selectivity.find(({ factor }) => factor === one.label)?.share,
        ...[one.totalVariance, one.rank, one.descriptions.map(({ text }) => text).join(" | ")],
      ];
    }),
  );
  return csvOf(undefined, head, rows);
}
