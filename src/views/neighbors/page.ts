import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { counted, escapeXml, shorten } from "../kit/text.ts";
import { neighborsSvg } from "./svg.ts";
import {
  formatPercentile,
  type NeighborsPictures,
  readingOf,
  rowsOf,
  scoreFormat,
  shortenPath,
  titleOf,
} from "./words.ts";

/** A search as one HTML page that needs nothing beside it: the picture, and its numbers as tables. */
export function neighborsHtml(result: NeighborsResult, pictures: NeighborsPictures): string {
  const title = titleOf(result, 200, (part) => part.length);
  const label = "Picture of the search; the tables below hold its numbers";
  const format = scoreFormat(result);
  const tables = rowsOf(result).map(([name, items]) => table(name, items, format));
  return htmlPage(
    escapeXml(title),
    `${figure(neighborsSvg(result, pictures), label)}
<h2>Scores</h2>
<p>${escapeXml(readingOf(result))}</p>
${
  result.searched === 0
    ? ""
    : `<div class="tables">
${[...tables, distributionTable(result)].join("\n")}
</div>`
}`,
    "lists",
  );
}

function table(title: string, items: readonly Neighbor[], format: (value: number) => string): string {
  const cells = items.map(({ path, label, score, percentile }, index) => {
    const name = label === null ? "—" : `<bdi>${escapeXml(shorten(label, 160, () => 1))}</bdi>`;
    const file = escapeXml(shortenPath(path, 300, (part) => part.length));
    return `<tr><td class="n">${index + 1}</td><td class="n">${format(score)}</td><td class="n">${formatPercentile(percentile)}</td><td>${name}</td><th scope="row"><bdi>${file}</bdi></th></tr>`;
  });
  const columns = ["rank", "score", "higher than", "label", "file"]
    .map((name, index) => `<th scope="col"${index < 3 ? ' class="n"' : ""}>${name}</th>`)
    .join("");
  const body = cells.length === 0 ? '<tr><td colspan="5">no images</td></tr>' : cells.join("\n");
  return `<table><caption>${title}</caption>
<thead><tr>${columns}</tr></thead>
<tbody>${body}</tbody></table>`;
}

function distributionTable(result: NeighborsResult): string {
  const format = scoreFormat(result);
  const { mean, deviation, least, median, most } = result.distribution;
  const numbers = Object.entries({ least, median, most, mean, "standard deviation": deviation });
  const rows = numbers.map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td class="n">${format(value)}</td></tr>`,
  );
  return `<table><caption>all ${counted(result.searched, "score")}</caption>
<tbody>${rows.join("")}</tbody></table>`;
}
