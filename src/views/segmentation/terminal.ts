import type { SegmentedText, SegmentResult } from "../../results/segment.ts";
import { cellsOf, wrapCells } from "../kit/cells.ts";
import { noticeOf } from "../kit/notice.ts";
import { shades } from "../kit/shades.ts";
import { cleanText, decimalsFor, formatSigned, imageTitle, shorten } from "../kit/text.ts";
import { limitsOf, scaleInWords, scoreInWords, setInWords, sumInWords } from "./words.ts";

/** A segmentation as plain lines: a small map of each text, its sums, and where the strongest patch lies. */
export function segmentationTerminal(
  result: SegmentResult,
  { columns }: { readonly columns: number },
): string {
  const { origin, texts, winners, grid } = result;
  const limits = limitsOf(result);
  const lines = wrapCells(
    `${cleanText(imageTitle(origin))} through ${cleanText(setInWords(result))} of ${cleanText(origin.model.name)}`,
    columns,
  );
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  const scale = scaleInWords(result, "shade");
  // Without maps there is nothing to compare.
  if (scale !== undefined && fits(result, columns)) lines.push(...wrapCells(scale, columns));
  for (const [i, text] of texts.entries()) lines.push("", ...textLines(result, text, limits[i], columns));
  if (winners) {
    lines.push("", "which text leads where");
    for (const [i, { text }] of texts.entries()) {
      const share = `${((100 * winners.counts[i]) / (grid.rows * grid.columns)).toFixed(0)} %`.padStart(5);
      lines.push(`  ${share}  ${shorten(text, columns - 9, cellsOf)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const fits = ({ grid }: SegmentResult, columns: number): boolean => 2 * grid.columns + 2 <= columns;

function textLines(result: SegmentResult, text: SegmentedText, limit: number, columns: number): string[] {
  const against = result.mode === "contrast" ? " against the mean of the others" : "";
  const lines = wrapCells(`“${shorten(text.text, columns - 2, cellsOf)}”${against}`, columns);
  const indented = (words: string) => lines.push(...wrapCells(words, columns - 2).map((line) => `  ${line}`));
  if (fits(result, columns)) lines.push(...shades(text.values, limit).map((line) => `  ${line}`.trimEnd()));
  indented(sumInWords(text));
  indented(scoreInWords(text));
  const [row, column] = strongest(text.values);
  indented(`strongest patch: row ${row}, column ${column}, ${formatSigned(text.values[row][column], 4)}`);
  if (text.token) {
    const { heads, value, ...at } = text.token;
    const decimals = decimalsFor(Math.abs(heads[0].value));
    indented(`patch ${at.row},${at.column}: ${formatSigned(value, decimals)}, of which`);
    for (const head of heads.slice(0, 8))
      lines.push(`    ${head.name.padEnd(8)} ${formatSigned(head.value, decimals)}`);
    if (heads.length > 8) lines.push(`    ${heads.length - 8} more heads`);
  }
  return lines;
}

function strongest(rows: SegmentedText["values"]): [row: number, column: number] {
  let most: [number, number] = [0, 0];
  for (const [row, values] of rows.entries())
    for (const [column, value] of values.entries()) if (value > rows[most[0]][most[1]]) most = [row, column];
  return most;
}
