import { figure, htmlPage } from "../kit/html.ts";
import { escapeXml } from "../kit/text.ts";
import { textspanSvg } from "./svg.ts";
import { type SpanPanel, type TextspanInput, titleOf, verdictOf } from "./words.ts";

/** The picture as one HTML page that needs nothing beside it, with every head's texts in tables. */
export function textspanHtml(input: TextspanInput): string {
  const title = titleOf(input, 120, (part) => part.length);
  const label = "Picture of the heads; the tables below hold their texts";
  return htmlPage(
    escapeXml(title),
    `${figure(textspanSvg(input), label)}
<h2>All texts</h2>
<div class="tables">
${input.panels.map((panel) => table(panel, input.resamples > 0)).join("\n")}
</div>`,
    "lists",
  );
}

function table(panel: SpanPanel, resampled: boolean): string {
  const number = (share: number) => (100 * share).toFixed(1);
  const overlap = panel.overlap === null ? "" : `; order overlap ${panel.overlap.toFixed(2)}`;
  const kept = (share: number | null) =>
    resampled ? `<td class="n">${share === null ? "–" : number(share)}</td>` : "";
  let sum = 0;
  const rows = panel.texts.map(({ text, property, share, chosenShare }, i) => {
    sum += share;
    const random = number(panel.random.mean[i] ?? 0);
    return `<tr><td class="n">${i + 1}</td><th scope="row"><bdi>${escapeXml(text)}</bdi></th><td>${escapeXml(property ?? "")}</td><td class="n">${number(share)}</td>${kept(chosenShare)}<td class="n">${number(sum)}</td><td class="n chance">${random}</td></tr>`;
  });
  const heads = [
    "",
    "text",
    "property",
    "adds %",
    ...(resampled ? ["kept %"] : []),
    "together %",
    "random %",
  ];
  const head = heads
    .map((name, i) => `<th scope="col"${i === 0 || i > 2 ? ' class="n"' : ""}>${name}</th>`)
    .join("");
  return `<table><caption>${escapeXml(panel.name)} <small>${escapeXml(verdictOf(panel))}${overlap}; rank ${panel.rank}</small></caption>
<thead><tr>${head}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}
