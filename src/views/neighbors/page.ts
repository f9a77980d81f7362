import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { figure, htmlPage } from "../kit/html.ts";
import { sideBySide } from "../kit/table.ts";
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

/**
 * A search as one HTML page that needs nothing beside it: the picture, and its numbers as tables.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { findNeighbors, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { neighborsHtml, thumbnail } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const result = await findNeighbors(model, index, { text: "a red backdrop" }, parseHeads(model, "L1.H0"), { k: 2 });
 * const shown = [...result.neighbors, ...result.least, ...result.random];
 * const files = shown.map(async ({ id, path }) => [id, await thumbnail(`scenes/${path}`, 160)] as const);
 * const pictures = { query: null, pictureOf: new Map(await Promise.all(files)) };
 * await writeFile("out.html", neighborsHtml(result, pictures));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
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
${result.searched === 0 ? "" : sideBySide([...tables, distributionTable(result)], "Scores")}`,
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
