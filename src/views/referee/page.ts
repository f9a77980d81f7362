import type { RefereeResult } from "../../results/referee.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { partsOf } from "./report.ts";
import { refereeSvg } from "./svg.ts";
import { findings, titleOf } from "./words.ts";

/**
 * The referee's report as one HTML page that needs nothing beside it.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { runReferee } from "clip-interpret/evaluation";
 * import { refereeHtml } from "clip-interpret/views";
 *
 * const result = await runReferee({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", halvings: 1, permutations: 20 },
 * });
 * await writeFile("out.html", refereeHtml(result));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function refereeHtml(result: RefereeResult): string {
  const paragraph = (text: string) => `<p>${escapeXml(text)}</p>\n`;
  const notices = [...new Set(result.models.flatMap(({ origin }) => origin.model.notice ?? []))];
  const items = findings(result).map((finding) => `<li>${escapeXml(finding)}</li>`);
  const parts = partsOf(result).map(
    ({ id, title, words, tables }) =>
      `<section>\n<h2 id="${id}">${title}</h2>\n${words.map(paragraph).join("")}${tables.map(tableHtml).join("")}</section>`,
  );
  const body = `${notices.length === 0 ? "" : `<p class="notice">${notices.map(escapeXml).join("<br>")}</p>\n`}<section>
<h2 id="found">What was found</h2>
${figure(refereeSvg(result), "How often every method is right; the tables below hold the numbers")}
<ul>${items.join("\n")}</ul>
</section>
${parts.join("\n")}`;
  return htmlPage(escapeXml(titleOf(result)), body, "report");
}
