/** The numbers of a study of the embedded models in docs/: written by `npm run docs:study`, held by a long test. */

import type { StudyResult } from "../src/results/study.ts";
import { inlineMarkdown, tableMarkdown } from "../src/views/kit/table.ts";
import {
  calibrationTable,
  depthTable,
  publishedTable,
  reliabilityTable,
  rightTable,
  seedTable,
  sizeTable,
} from "../src/views/study/tables.ts";
import { findings, halvesInWords } from "../src/views/study/words.ts";

/** The pages, and for each the blocks that are generated. */
export const STUDY_PAGES = {
  "believing-labels.md": ["right", "halves", "depth", "measures", "ccs", "found"],
  "study.md": ["sizes", "seeds"],
  "metrics.md": ["published"],
} as const;

/** Every block by its name. */
export function studyBlocks(report: StudyResult): Readonly<Record<string, string>> {
  const { calibration } = report;
  if (calibration === null) throw new Error("nothing is known of the images");
  const [first, second] = findings(report);
  return {
    right: tableMarkdown(rightTable(report)),
    halves: inlineMarkdown(halvesInWords(calibration)),
    depth: tableMarkdown(depthTable(calibration)),
    measures: tableMarkdown(calibrationTable("All models together", calibration)),
    ccs: tableMarkdown(reliabilityTable(calibration)),
    found: [first, second].map((finding) => `> ${inlineMarkdown(finding)}`).join("\n>\n"),
    sizes: tableMarkdown(sizeTable(report)),
    seeds: tableMarkdown(seedTable(report)),
    published: tableMarkdown(publishedTable(report)),
  };
}
