import type { SegmentedText, SegmentResult } from "../../results/segment.ts";
import { dataDetails, figure, htmlPage } from "../kit/html.ts";
import { sideBySide } from "../kit/table.ts";
import { escapeXml, formatCosine, formatError, formatSigned, imageTitle, shorten } from "../kit/text.ts";
import type { SegmentationPictures } from "./pictures.ts";
import { segmentationSvg } from "./svg.ts";
import { captionOf, setInWords } from "./words.ts";

/**
 * A segmentation as one HTML page that needs nothing beside it: the picture, its sums as tables, and all of the data.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { openModel, parseHeads, segmentImage } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, segmentationHtml, segmentationPictures } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await segmentImage(model, scene, ["a monkey"], { set: parseHeads(model, "last2") });
 * const { width, height } = pixelSize(result);
 * const pictures = await segmentationPictures(result, await displayPicture(scene, width, height), encodePng);
 * await writeFile("out.html", segmentationHtml(result, pictures));
 * console.log((await readFile("out.html", "utf8")).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function segmentationHtml(result: SegmentResult, pictures: SegmentationPictures): string {
  const { origin, texts } = result;
  const title = `${imageTitle(origin)} segmented through ${setInWords(result)} of ${origin.model.name}`;
  const label = "Picture of the segmentation; the tables below hold its sums";
  const heads = texts.filter(({ token }) => token !== undefined);
  return htmlPage(
    escapeXml(title),
    `${figure(segmentationSvg(result, pictures), label)}
<h2>Sums</h2>
<p>${escapeXml(captionOf(result))}</p>
${sums(result)}
${heads.length === 0 ? "" : `<h2>Heads of the chosen patch</h2>\n${sideBySide(heads.map(headTable), "Heads of the chosen patch")}`}
${dataDetails(result)}`,
    "lists",
  );
}

const cut = (text: string) => `<bdi>${escapeXml(shorten(text, 160, () => 1))}</bdi>`;
const number = (value: string) => `<td class="n">${value}</td>`;

function sums({ texts, mode }: SegmentResult): string {
  const hasCls = texts.some(({ cls }) => cls !== null);
  const columns = [
    ...(hasCls ? ["patches", "CLS token", "together"] : ["all patches together"]),
    ...["heads’ score", "error", "cosine of the image"],
  ];
  const rows = texts.map((text) => {
    const { patches, cls, sum, score } = text;
    const values = [
      ...(cls === null ? [sum, score] : [patches, cls, sum, score]).map((value) => formatSigned(value, 6)),
      formatError(text.error),
    ];
    return `<tr><th scope="row">${cut(text.text)}</th>${[...values, formatCosine(text.similarity)].map(number).join("")}</tr>`;
  });
  const head = ["text", ...columns].map(
    (name, i) => `<th scope="col"${i > 0 ? ' class="n"' : ""}>${name}</th>`,
  );
  const caption = mode === "topic" ? "each text" : "each text minus the mean of the others";
  return `<div class="wide"><table><caption>${caption}</caption><thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function headTable({ text, token: patch }: SegmentedText): string {
  if (!patch) return "";
  const rows = patch.heads.map(
    ({ name, value }) => `<tr><th scope="row">${name}</th>${number(formatSigned(value, 6))}</tr>`,
  );
  return `<table><caption>${cut(text)} at patch ${patch.row},${patch.column}</caption><thead><tr><th scope="col">head</th><th scope="col" class="n">wrote</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
