import type { RefereeResult } from "../../results/referee.ts";
import { inlineMarkdown as inline, tableMarkdown } from "../kit/table.ts";
import { partsOf } from "./report.ts";
import { findings, titleOf } from "./words.ts";

/**
 * The referee's report as Markdown, without its picture.
 *
 * @example
 * ```ts
 * import { runReferee } from "clip-interpret/evaluation";
 * import { refereeMarkdown } from "clip-interpret/views";
 *
 * const result = await runReferee({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", halvings: 1, permutations: 20 },
 * });
 * console.log(refereeMarkdown(result).split("\n")[0]); // → # 6 ways to say what a head does, judged by known truth (1 model)
 * ```
 */
export function refereeMarkdown(result: RefereeResult): string {
  const parts = [
    `# ${inline(titleOf(result))}`,
    findings(result)
      .map((finding) => `- ${inline(finding)}`)
      .join("\n"),
    ...partsOf(result).flatMap(({ title, words, tables }) => [
      `## ${title}`,
      ...words.map(inline),
      ...tables.map(tableMarkdown),
    ]),
  ];
  return `${parts.join("\n\n")}\n`;
}
