import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import {
  contextOf,
  formatPercentile,
  type NeighborGridInput,
  readingOf,
  scoreFormat,
  shortenPath,
  titleOf,
} from "./words.ts";

/** A search as plain lines: row by row each rank, score, percentile, label, path; then how to read them. */
export function neighborGridText(
  input: NeighborGridInput,
  { columns }: { readonly columns: number },
): string {
  const lines = [titleOf(input, columns, cellsOf), shorten(contextOf(input), columns, cellsOf)];
  if (input.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(input.notice)}`, columns));
  for (const row of input.rows) lines.push("", ...listing(input, row, columns));
  lines.push("", ...wrapCells(readingOf(input), columns));
  return `${lines.join("\n")}\n`;
}

function listing(
  input: NeighborGridInput,
  row: NeighborGridInput["rows"][number],
  columns: number,
): string[] {
  const title = shorten(row.title, columns, cellsOf);
  if (row.items.length === 0) return [title, "  no images"];
  const format = scoreFormat(input);
  const rankWidth = String(row.items.length).length;
  const scores = row.items.map(({ score }) => format(score));
  const scoreWidth = Math.max(...scores.map(cellsOf));
  const left = 2 + rankWidth + 2 + scoreWidth + 2 + 7 + 2;
  const labels = row.items.map(({ label }) => shorten(label ?? "", Math.min(32, columns * 0.25), cellsOf));
  const labelWidth = Math.max(...labels.map(cellsOf));
  const pathRoom = columns - left - (labelWidth > 0 ? labelWidth + 2 : 0);
  const lines = row.items.map(({ path, percentile }, index) => {
    const label = labelWidth > 0 ? `${padCells(labels[index], labelWidth)}  ` : "";
    const numbers = [
      String(index + 1).padStart(rankWidth),
      scores[index].padStart(scoreWidth),
      formatPercentile(percentile).padStart(7),
    ];
    return `  ${numbers.join("  ")}  ${label}${shortenPath(path, pathRoom, cellsOf)}`.trimEnd();
  });
  return [title, ...lines];
}
