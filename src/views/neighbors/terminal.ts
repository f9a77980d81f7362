import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { noticeOf } from "../kit/notice.ts";
import { cleanText, shorten } from "../kit/text.ts";
import {
  contextOf,
  formatPercentile,
  readingOf,
  rowsOf,
  scoreFormat,
  shortenPath,
  titleOf,
} from "./words.ts";

/** Title and context are written for so many columns at least, and broken where there are fewer. */
const HEADING = 80;

/** A search as plain lines: row by row each rank, score, percentile, label, path; then how to read them. */
export function neighborsTerminal(
  result: NeighborsResult,
  { columns }: { readonly columns: number },
): string {
  const notice = noticeOf(result);
  const lines = [titleOf, contextOf].flatMap((words) =>
    wrapCells(words(result, Math.max(HEADING, columns), cellsOf), columns),
  );
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  if (result.searched > 0)
    for (const [title, items] of rowsOf(result))
      lines.push("", shorten(title, columns, cellsOf), ...listing(result, items, columns));
  lines.push("", ...wrapCells(readingOf(result), columns));
  return `${lines.join("\n")}\n`;
}

function listing(result: NeighborsResult, items: readonly Neighbor[], columns: number): string[] {
  if (items.length === 0) return ["  no images"];
  const format = scoreFormat(result);
  const rankWidth = String(items.length).length;
  const scores = items.map(({ score }) => format(score));
  const scoreWidth = Math.max(...scores.map(cellsOf));
  const left = 2 + rankWidth + 2 + scoreWidth + 2 + 7 + 2;
  const labels = items.map(({ label }) => shorten(label ?? "", Math.min(32, columns * 0.25), cellsOf));
  const labelWidth = Math.max(...labels.map(cellsOf));
  const pathRoom = columns - left - (labelWidth > 0 ? labelWidth + 2 : 0);
  return items.map(({ path, percentile }, index) => {
    const label = labelWidth > 0 ? `${padCells(labels[index], labelWidth)}  ` : "";
    const numbers = [
      String(index + 1).padStart(rankWidth),
      scores[index].padStart(scoreWidth),
      formatPercentile(percentile).padStart(7),
    ];
    return `  ${numbers.join("  ")}  ${label}${shortenPath(path, pathRoom, cellsOf)}`.trimEnd();
  });
}
