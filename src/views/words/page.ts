import type { WordsResult } from "../../results/words.ts";
import { dataDetails, figure, htmlPage } from "../kit/html.ts";
import { htmlTable, scrolling } from "../kit/table.ts";
import { escapeXml, formatSigned, imageTitle } from "../kit/text.ts";
import type { WordsPictures } from "./pictures.ts";
import { patchInWords, wordsSvg } from "./svg.ts";
import { decimalsOf, ledgerOf, sumInWords } from "./words.ts";

/**
 * Which word looks where, as one HTML page that needs nothing beside it: the maps, the whole sum as a table, and all of the data.
 *
 * @example
 * ```ts
 * import { explainWords, openModel } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, wordsHtml, wordsPictures } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await explainWords(model, scene, "a monkey", { pairs: 5 });
 * const { width, height } = pixelSize(result);
 * const pictures = await wordsPictures(result, await displayPicture(scene, width, height), encodePng);
 * console.log(wordsHtml(result, pictures).slice(0, 15)); // → <!doctype html>
 * ```
 */
export function wordsHtml(result: WordsResult, pictures: WordsPictures): string {
  const { origin, image, pairs = [], pairCount, token } = result;
  const decimals = decimalsOf(result);
  const signed = (value: number) => formatSigned(value, decimals);
  const rows = ledgerOf(result);
  const sums = image.map((_, i) => rows.reduce((sum, { shares }) => sum + shares[i], 0));
  const ledger = htmlTable({
    columns: ["part of the text", ...[...image, "together"].map((name) => `#${escapeXml(name)}`)],
    rows: rows.map(({ text, shares, value }) => [escapeXml(text), ...[...shares, value].map(signed)]),
    foot: [["Σ", ...[...sums, result.similarity].map(signed)]],
  });
  const title = `Which word looks where in ${imageTitle(origin)}, by ${origin.model.name}`;
  const heads = htmlTable({
    columns: ["text head", "image head", "#together"],
    rows: pairs.map(({ text, image: other, value }) => [text, other, formatSigned(value, decimals + 1)]),
  });
  return htmlPage(
    escapeXml(title),
    `${figure(wordsSvg(result, pictures), "A map of each word; the tables below hold its sums")}
<h2>The whole sum</h2>
<p>${escapeXml(sumInWords(result))}</p>
${scrolling(ledger, "Every part of the text by every part of the image")}
${token ? `<h2>Words at patch ${token.row},${token.column}</h2>\n<p>${escapeXml(patchInWords(result))}</p>` : ""}
${pairs.length > 0 ? `<h2>Which text head meets which image head</h2>\n<p>The largest ${pairs.length} of ${pairCount.toLocaleString("en")} pairs.</p>\n${scrolling(heads, "Pairs of heads")}` : ""}
${dataDetails(result)}`,
    "lists",
  );
}
