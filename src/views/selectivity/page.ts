import { isAboveChance } from "../../math/tails.ts";
import type { SelectivityResult } from "../../results/selectivity.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { escapeXml } from "../kit/text.ts";
import { selectivitySvg } from "./svg.ts";
import { brief, groupsOf, type Row, sizeOf, writesAway } from "./words.ts";

/**
 * The heat map as one HTML page that needs nothing beside it, with all of its numbers as a table.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { measureSelectivity, openIndex, openModel } from "clip-interpret";
 * import { selectivityHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const result = await measureSelectivity(model, index, { permutations: 5 });
 * await writeFile("out.html", selectivityHtml(result));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function selectivityHtml(result: SelectivityResult): string {
  const title = `What each head of ${brief(result.origin.model.name)} responds to`;
  const label = "Picture of the matrix; the table below holds its numbers";
  const rows = groupsOf(result).flat().map(tableRow);
  const heads = result.factors.map(
    (factor) =>
      `<th scope="col" class="n"><bdi>${escapeXml(brief(factor.name))}</bdi><br><small>${sizeOf(factor).replace(", ", "<br>")}</small></th>`,
  );
  return htmlPage(
    escapeXml(title),
    `${figure(selectivitySvg(result), label)}
<h2>All shares</h2>
<div class="wide" tabindex="0" role="region" aria-label="All shares">
<table><caption>Per cent of a component’s variance that a factor explains, beyond chance; n.s.: not above chance; away: writes away from the text of what it sees</caption>
<thead><tr><th scope="col">component</th>${heads.join("")}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
</div>`,
    "lists",
  );
}

function tableRow({ name, factors }: Row): string {
  const cells = factors.map((factor) => {
    const number = (100 * factor.share).toFixed(1);
    if (writesAway(factor)) return `<td class="n">${number} away</td>`;
    return isAboveChance(factor)
      ? `<td class="n">${number}</td>`
      : `<td class="n chance">${number} n.s.</td>`;
  });
  return `<tr><th scope="row">${escapeXml(brief(name))}</th>${cells.join("")}</tr>`;
}
