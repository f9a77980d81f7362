import type { WordsResult } from "../../results/words.ts";
import { colourBar, signedScale } from "../kit/colour.ts";
import { imagePanel, note, panelWidth, patchMark } from "../kit/image-panel.ts";
import { noticeOf } from "../kit/notice.ts";
import { seesAll, shownSize } from "../kit/panel.ts";
import { banner, type Drawing, paragraph, quoted, stack, svgDocument, textLine, tile } from "../kit/svg.ts";
import { formatSigned, imageTitle, shorten, textWidth } from "../kit/text.ts";
import type { WordsPictures } from "./pictures.ts";
import { decimalsOf, ledgerOf, limitOf, setsInWords, sumInWords, wordInWords } from "./words.ts";

const MAX_WIDTH = 1400;
/** Below this, the table of all parts would be cramped. */
const MIN_WIDTH = 720;

/**
 * Which word looks where, as an SVG document: a map of each word on one scale, and the whole sum as a table.
 *
 * @example
 * ```ts
 * import { explainWords, openModel } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, wordsPictures, wordsSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await explainWords(model, scene, "a monkey");
 * const { width, height } = pixelSize(result);
 * const pictures = await wordsPictures(result, await displayPicture(scene, width, height), encodePng);
 * console.log(wordsSvg(result, pictures).slice(0, 4)); // → <svg
 * ```
 */
export function wordsSvg(result: WordsResult, pictures: WordsPictures): string {
  const { origin, words, original, token, grid } = result;
  const shown = shownSize(result);
  const room = panelWidth(shown);
  const limit = limitOf(result);
  const mark = token ? patchMark(shown, grid, token) : "";
  const seen = seesAll(shown)
    ? "The model sees all of it"
    : "The model sees what is inside the dashed line; it knows nothing of the rest";
  const size = `${original.width} × ${original.height} pixels. ${seen}.`;
  const atPatch = token
    ? [note(`Patch ${token.row},${token.column}: ${patchInWords(result)}`, room, "ink")]
    : [];
  const panels = tile(
    [
      imagePanel(shown, pictures.original, "the image", [note(size, room), ...atPatch], mark),
      ...words.map((word, i) => {
        const bar = colourBar(signedScale(limit), {
          width: shown.width >= 200 ? shown.width : room,
          ends: ["against", "for the text"],
        });
        const lines = [bar, note(wordInWords(result, word), room, "ink")];
        return imagePanel(shown, pictures.words[i], quoted(word.text, room, 14, true), lines, mark);
      }),
    ],
    MAX_WIDTH,
    28,
    28,
  );
  const width = Math.max(MIN_WIDTH, panels.width);
  const widthOf = (part: string) => textWidth(part, 20, true);
  const title = shorten(`Which word looks where in ${imageTitle(origin)}`, width, widthOf);
  const caption = `“${result.text}” read by ${origin.model.name} through ${setsInWords(result)}. ${sumInWords(result)}`;
  const notice = noticeOf(result);
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[14, banner(notice, width)] as [number, Drawing]]),
    [14, paragraph(caption, width, { size: 13 })],
    [24, panels],
    [28, ledger(result, width)],
  ];
  return svgDocument(stack(width, blocks), `${title}. ${caption}`, origin);
}

/** What the words add at the chosen patch. */
export function patchInWords({ token, ...result }: WordsResult): string {
  const decimals = decimalsOf(result);
  return (token?.words ?? []).map(({ text, value }) => `${text} ${formatSigned(value, decimals)}`).join(", ");
}

/** Every part of the text by every part of the image: what the cosine is the sum of. */
function ledger(result: WordsResult, width: number): Drawing {
  const { image, similarity } = result;
  const decimals = decimalsOf(result);
  const columns = [...image, "together"];
  const right = (column: number) => 190 + (column + 1) * Math.min(110, (width - 190) / columns.length);
  const line = (y: number, name: string, numbers: readonly string[], bold = false) =>
    textLine(
      0,
      y,
      shorten(name, 180, (part) => textWidth(part, 12)),
      { size: 12, bold },
    ) + numbers.map((number, i) => textLine(right(i), y, number, { size: 12, bold, anchor: "end" })).join("");
  const rows = ledgerOf(result);
  const signed = (value: number) => formatSigned(value, decimals);
  const sums = image.map((_, i) => rows.reduce((sum, { shares }) => sum + shares[i], 0));
  const body = [
    textLine(0, 16, "The whole sum", { size: 16, bold: true }),
    line(40, "part of the text", columns, true),
    ...rows.map(({ text, shares, value }, i) => line(60 + 18 * i, text, [...shares, value].map(signed))),
    line(64 + 18 * rows.length, "Σ", [...sums, similarity].map(signed), true),
  ];
  return { width, height: 70 + 18 * rows.length, body: body.join("") };
}
