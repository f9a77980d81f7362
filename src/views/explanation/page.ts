import type { ExplainResult, Explanation } from "../../results/explain.ts";
import { dataDetails, figure, htmlPage } from "../kit/html.ts";
import { sideBySide } from "../kit/table.ts";
import {
  decimalsFor,
  escapeXml,
  formatCosine,
  formatError,
  formatSigned,
  imageTitle,
  shorten,
} from "../kit/text.ts";
import { type ExplanationPictures, explanationSvg } from "./svg.ts";
import { rankContributions, rankTexts, sumsExactly } from "./words.ts";

/** Rows of a table before it says how many are left; the data under it has them all. */
const TABLE_ROWS = 12;

/**
 * An explanation as one HTML page that needs nothing beside it: the picture, the largest contributions as tables,
 * and all of the data.
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { explainImage, openModel } from "clip-interpret";
 * import { explanationHtml } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await explainImage(model, scene, ["a monkey", "a palm tree"]);
 * const pictures = { image: { png: await readFile(scene), width: 256, height: 256 } };
 * await writeFile("out.html", explanationHtml(result, pictures));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function explanationHtml(result: ExplainResult, pictures: ExplanationPictures): string {
  const { origin, texts } = result;
  const title = `${escapeXml(imageTitle(origin))} seen by ${escapeXml(origin.model.name)}`;
  const label = "Picture of the explanation; the tables below hold its largest numbers";
  return htmlPage(
    title,
    `${figure(explanationSvg(result, pictures), label)}
<h2>Largest contributions</h2>
${sideBySide(rankTexts(texts).map(table), "Every component")}
${dataDetails(result)}`,
    "pairs",
  );
}

function table(input: Explanation): string {
  const ranked = rankContributions(input);
  const shown = ranked.slice(0, TABLE_ROWS);
  const rest = ranked.slice(TABLE_ROWS);
  const decimals = decimalsFor(Math.abs(ranked[0]?.value ?? 0)) + 1;
  const row = (name: string, value: number) =>
    `<tr><th scope="row">${escapeXml(name)}</th><td>${formatSigned(value, decimals)}</td></tr>`;
  const restSum = rest.reduce((total, { value }) => total + value, 0);
  const verdict = sumsExactly(input) ? "sums exactly" : "does not add up";
  return `<table><caption>“<bdi>${escapeXml(shorten(input.text, 160, () => 1))}</bdi>” <small>cosine ${formatCosine(input.similarity)}</small></caption>
<thead><tr><th scope="col">component</th><th scope="col">contribution</th></tr></thead>
<tbody>${shown.map(({ name, value }) => row(name, value)).join("")}</tbody>
<tfoot>${rest.length === 0 ? "" : row(`${rest.length} more, together`, restSum)}<tr><th scope="row">Σ (${verdict}, error ${formatError(input.error)})</th><td>${formatCosine(input.sum)}</td></tr></tfoot></table>`;
}
