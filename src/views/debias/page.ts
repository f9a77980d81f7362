import type { DebiasResult } from "../../results/debias.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { tableHtml } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { debiasSvg } from "./svg.ts";
import {
  BASELINE_WORDS,
  baselineTable,
  debiasTitle,
  forwardTable,
  forwardTitle,
  groupsInOrder,
  groupTable,
  selectionTable,
} from "./words.ts";

const PER_CENT = "per cent, with 95\u00a0% intervals";

/**
 * The picture of a removed cue and its numbers as one HTML page.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { debias, openIndex, openModel } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot, splitByCue } from "clip-interpret/evaluation";
 * import { debiasHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const classes = defaultClasses(index, "style");
 * const problem = await prepareZeroShot(model, index, classes, { groupBy: ["count"] });
 * const result = await debias(model, splitByCue(problem, "count"), { random: 10, maxHeads: 3 });
 * await writeFile("out.html", debiasHtml(result));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function debiasHtml(result: DebiasResult): string {
  const label = "Picture of what was removed; the tables below hold its numbers";
  const forward = result.forward.map(
    (study) =>
      `<h2>${escapeXml(forwardTitle(study))}</h2>\n${tableHtml({ caption: PER_CENT, ...forwardTable(study) })}`,
  );
  const others =
    result.baselines.length === 0
      ? ""
      : `<h2>Ways that know of no heads</h2>
<p>${escapeXml(BASELINE_WORDS)}</p>
${tableHtml({ caption: PER_CENT, ...baselineTable(result) })}
`;
  return htmlPage(
    escapeXml(debiasTitle(result)),
    `${figure(debiasSvg(result), label)}
<h2>Ways of choosing heads</h2>
${tableHtml({ caption: `${PER_CENT}; * the way that was used`, ...selectionTable(result) })}
${others}<h2>Groups</h2>
${tableHtml({ caption: PER_CENT, ...groupTable(groupsInOrder(result)) })}
${forward.join("\n")}`,
    "lists",
  );
}
