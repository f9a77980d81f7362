import type { StudyResult } from "../../results/study.ts";
import { inlineMarkdown as inline, tableMarkdown } from "../kit/table.ts";
import {
  calibrationTable,
  depthTable,
  inputTable,
  labelTable,
  metricTable,
  modelTable,
  publishedTable,
  reliabilityTable,
  rightTable,
  seedTable,
  sizeTable,
} from "./tables.ts";
import { findings, halvesInWords, methodOf, PUBLISHED, SIZES, TRUTH, titleOf } from "./words.ts";

/**
 * A study as Markdown, without its pictures and heads.
 *
 * @example
 * ```ts
 * import { runStudy } from "clip-interpret";
 * import { studyMarkdown } from "clip-interpret/views";
 *
 * const { result } = await runStudy({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", iterations: 3, resamples: 2, draws: 10, permutations: 2 },
 * });
 * console.log(studyMarkdown(result).split("\n")[0]); // → # What the heads of emoji-4x128-p8 mean, and how much to believe it
 * ```
 */
export function studyMarkdown(report: StudyResult): string {
  const { origin, models, calibration, sizes, code, settings } = report;
  const notices = [...new Set(models.flatMap(({ origin: from }) => from.model.notice ?? []))];
  const parts = [
    `# ${inline(titleOf(report))}`,
    ...notices.map((notice) => `> ${inline(notice)}`),
    findings(report)
      .map((finding) => `- ${inline(finding)}`)
      .join("\n"),
    "## Models",
    tableMarkdown(modelTable(report)),
    inline(methodOf(report)),
    ...(calibration === null
      ? []
      : [
          "## How much to believe a label",
          inline(TRUTH),
          tableMarkdown(rightTable(report)),
          ...(calibration.halves === null ? [] : [inline(halvesInWords(calibration))]),
          tableMarkdown(depthTable(calibration)),
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
    `${origin.program} ${origin.version}, modules ${code.slice(0, 16)}; ${JSON.stringify(settings)}`,
  ];
  return `${parts.join("\n\n")}\n`;
}
