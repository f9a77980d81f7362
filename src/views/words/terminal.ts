import type { WordsResult } from "../../results/words.ts";
import { wrapCells } from "../kit/cells.ts";
import { noticeOf } from "../kit/notice.ts";
import { shades } from "../kit/shades.ts";
import { fittedTable } from "../kit/table.ts";
import { cleanText, formatSigned, imageTitle } from "../kit/text.ts";
import { patchInWords } from "./svg.ts";
import { decimalsOf, ledgerOf, limitOf, setsInWords, sumInWords } from "./words.ts";

/** Which word looks where, as plain lines: a small map of each word, the whole sum, and the pairs of heads. */
export function wordsTerminal(result: WordsResult, { columns }: { readonly columns: number }): string {
  const { origin, text, words, image, grid, pairs = [], pairCount, token } = result;
  const decimals = decimalsOf(result);
  const signed = (value: number) => formatSigned(value, decimals);
  const title = `“${text}” in ${imageTitle(origin)}, by ${origin.model.name}, through ${setsInWords(result)}`;
  const lines = wrapCells(cleanText(title), columns);
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  const limit = limitOf(result);
  const width = 2 * grid.columns + 4;
  const across = Math.floor(columns / width);
  for (let start = 0; across > 0 && start < words.length; start += across) {
    const row = words.slice(start, start + across);
    lines.push(
      "",
      row
        .map((word) =>
          cleanText(word.text)
            .slice(0, width - 2)
            .padEnd(width),
        )
        .join("")
        .trimEnd(),
    );
    const maps = row.map(({ map }) => shades(map, limit));
    for (let y = 0; y < grid.rows; y++)
      lines.push(
        maps
          .map((map) => map[y].padEnd(width))
          .join("")
          .trimEnd(),
      );
  }
  const rows = ledgerOf(result).map(({ text: name, shares, value }) => [
    ...[name, ...[...shares, value].map(signed)],
  ]);
  lines.push(
    "",
    ...fittedTable(["part of the text", ...[...image, "together"].map((one) => `#${one}`)], rows, columns),
  );
  lines.push("", ...wrapCells(`Σ ${sumInWords(result)}`, columns));
  if (token)
    lines.push(
      ...wrapCells(`patch ${token.row},${token.column}: ${cleanText(patchInWords(result))}`, columns),
    );
  if (pairs.length > 0) {
    lines.push(
      "",
      `text heads and image heads that add most together (of ${pairCount.toLocaleString("en")} pairs)`,
    );
    for (const { text: one, image: other, value } of pairs)
      lines.push(`  ${one.padEnd(8)} ${other.padEnd(8)} ${formatSigned(value, decimals + 1)}`);
  }
  return `${lines.join("\n")}\n`;
}
