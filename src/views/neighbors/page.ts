import { figure, htmlPage } from "../kit/html.ts";
import { counted, escapeXml, shorten } from "../kit/text.ts";
import { neighborGridSvg } from "./svg.ts";
import {
  formatPercentile,
  type NeighborGridInput,
  readingOf,
  scoreFormat,
  shortenPath,
  titleOf,
} from "./words.ts";

/** A search as one HTML page that needs nothing beside it: the picture, and its numbers as tables. */
export function neighborGridHtml(input: NeighborGridInput): string {
  const title = titleOf(input, 200, (part) => part.length);
  const label = "Picture of the search; the tables below hold its numbers";
  const tables = input.rows.map((row) => table(row, scoreFormat(input)));
  return htmlPage(
    escapeXml(title),
    `${figure(neighborGridSvg(input), label)}
<h2>Scores</h2>
<p>${escapeXml(readingOf(input))}</p>
<div class="tables">
${[...tables, distributionTable(input)].join("\n")}
</div>`,
    "lists",
  );
}

function table(row: NeighborGridInput["rows"][number], format: (value: number) => string): string {
  const cells = row.items.map(({ path, label, score, percentile }, index) => {
    const name = label === null ? "—" : `<bdi>${escapeXml(shorten(label, 160, () => 1))}</bdi>`;
    const file = escapeXml(shortenPath(path, 300, (part) => part.length));
    return `<tr><td class="n">${index + 1}</td><td class="n">${format(score)}</td><td class="n">${formatPercentile(percentile)}</td><td>${name}</td><th scope="row"><bdi>${file}</bdi></th></tr>`;
  });
  const columns = ["rank", "score", "higher than", "label", "file"]
    .map((name, index) => `<th scope="col"${index < 3 ? ' class="n"' : ""}>${name}</th>`)
    .join("");
  const body = cells.length === 0 ? '<tr><td colspan="5">no images</td></tr>' : cells.join("\n");
  return `<table><caption>${escapeXml(shorten(row.title, 160, () => 1))}</caption>
<thead><tr>${columns}</tr></thead>
<tbody>${body}</tbody></table>`;
}

function distributionTable(input: NeighborGridInput): string {
  const format = scoreFormat(input);
  const { mean, deviation, least, median, most } = input.distribution;
  const numbers = Object.entries({ least, median, most, mean, "standard deviation": deviation });
  const rows = numbers.map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td class="n">${format(value)}</td></tr>`,
  );
  return `<table><caption>all ${counted(input.images, "score")}</caption>
<tbody>${rows.join("")}</tbody></table>`;
}
