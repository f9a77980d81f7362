import type { Span } from "../../results/textspan.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { sideBySide } from "../kit/table.ts";
import { escapeXml } from "../kit/text.ts";
import { textspanSvg } from "./svg.ts";
import { type AnyTextspan, isResampled, spansOf, titleOf, verdictOf } from "./words.ts";

/**
 * The picture as one HTML page that needs nothing beside it, with every head's texts in tables.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { describeHeads, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, loadPool } from "clip-interpret/labeling";
 * import { textspanHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeHeads(model, index, parseHeads(model, "L1.H0,L3.H3"), pool, { iterations: 5 });
 * await writeFile("out.html", textspanHtml(described));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function textspanHtml(result: AnyTextspan): string {
  const title = titleOf(result, 120, (part) => part.length);
  const label = "Picture of the heads; the tables below hold their texts";
  return htmlPage(
    escapeXml(title),
    `${figure(textspanSvg(result), label)}
<h2>All texts</h2>
${sideBySide(
  spansOf(result).map(([name, span]) => table(name, span, isResampled(result))),
  "All texts",
)}`,
    "lists",
  );
}

function table(name: string, span: Span, resampled: boolean): string {
  const number = (share: number) => (100 * share).toFixed(1);
  const overlap = span.stability ? `; order overlap ${span.stability.overlap.mean.toFixed(2)}` : "";
  const kept = (share: number | null) =>
    resampled ? `<td class="n">${share === null ? "–" : number(share)}</td>` : "";
  let sum = 0;
  const rows = span.descriptions.map(({ text, property, explainedVariance: share, chosenShare }, i) => {
    sum += share;
    const rotated = span.control === null ? "–" : number(span.control.rotated.mean[i] ?? 0);
    return `<tr><td class="n">${i + 1}</td><th scope="row"><bdi>${escapeXml(text)}</bdi></th><td>${escapeXml(property ?? "")}</td><td class="n">${number(share)}</td>${kept(chosenShare)}<td class="n">${number(sum)}</td><td class="n chance">${rotated}</td></tr>`;
  });
  const heads = [
    "",
    "text",
    "property",
    "adds %",
    ...(resampled ? ["kept %"] : []),
    "together %",
    "control %",
  ];
  const head = heads
    .map((column, i) => `<th scope="col"${i === 0 || i > 2 ? ' class="n"' : ""}>${column}</th>`)
    .join("");
  return `<table><caption>${escapeXml(name)} <small>${escapeXml(verdictOf(span))}${overlap}; rank ${span.rank}</small></caption>
<thead><tr>${head}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}
