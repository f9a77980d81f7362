import { LABEL_BASELINES, METRICS } from "../../results/metrics.ts";
import type { StudyResult } from "../../results/study.ts";

/** Every metric of every model as CSV, a line each. */
export function studyMetricsCsv({ models }: StudyResult): string {
  const head = [
    ...["model", "metric", "value", "resampled_low", "resampled_high"],
    ...["random_labels", "shuffled_descriptions", "random_texts", "random_texts_low", "random_texts_high"],
    ...["constant_label", "random_given_labels", "permuted_labels"],
  ];
  const rows = models.flatMap(({ origin, metrics, resampled, baselines, labelBaselines }) =>
    METRICS.map(({ key, of }) => [
      ...[origin.model.name, key, of(metrics), resampled[key]?.low, resampled[key]?.high],
      ...[baselines?.randomLabels[key]?.mean, baselines?.shuffledDescriptions[key]?.mean],
      ...[
        baselines?.randomTexts[key]?.mean,
        baselines?.randomTexts[key]?.low,
        baselines?.randomTexts[key]?.high,
      ],
      ...LABEL_BASELINES.map((baseline) => labelBaselines?.[baseline][key]?.mean),
    ]),
  );
  return csv([head, ...rows]);
}

/**
 * Every head of every model as CSV, a line each; its descriptions in one cell, parted by ` | `. The strongest factor is the one
 * that a label is compared with: of those that the pool speaks of, where any is known.
 */
export function studyHeadsCsv({ models }: StudyResult): string {
  const head = [
    ...["model", "layer", "head", "label", "ccs", "same_label", "strongest_factor", "strongest_share"],
    ...["label_share", "right", "total_variance", "rank", "descriptions"],
  ];
  const rows = models.flatMap(({ origin, heads, calibration }) =>
    heads.map((one) => {
      const truth = calibration?.heads.find(({ name }) => name === one.name);
      return [
        ...[origin.model.name, `L${one.layer}`, one.name, one.label, one.ccs, one.sameLabel],
        ...[truth?.best, truth?.bestShare, truth?.labelShare],
        truth === undefined ? undefined : truth.right ? 1 : 0,
        ...[one.totalVariance, one.rank, one.descriptions.map(({ text }) => text).join(" | ")],
      ];
    }),
  );
  return csv([head, ...rows]);
}

/** Lines of values; texts are quoted where they must be, and never taken for a formula by a spreadsheet. */
function csv(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  const cell = (value: string | number | null | undefined): string => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const safe = /^[=+\-@]/.test(value) ? `'${value}` : value;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
}
