import type { FromWeightsResult, WrittenHead } from "../../results/from-weights.ts";
import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import { aboveChance, captionOf, nameOf, shareOf, sumOf, titleOf, verdictOf } from "./words.ts";

/** Directions of a head that a terminal shows of many heads; of one it shows all. */
const FIRST = 3;

/** Every head's directions as plain lines for a terminal. */
export function fromWeightsTerminal(
  result: FromWeightsResult,
  { columns }: { readonly columns: number },
): string {
  const { heads, origin } = result;
  const { notice } = origin.model;
  const lines = [titleOf(result, columns, cellsOf)];
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  lines.push(...wrapCells(captionOf(result), columns));
  const most = heads.length === 1 ? Number.POSITIVE_INFINITY : FIRST;
  for (const head of heads) lines.push("", ...headLines(result, head, most, columns));
  return `${lines.join("\n")}\n`;
}

function headLines(result: FromWeightsResult, head: WrittenHead, most: number, columns: number): string[] {
  const heading = wrapCells(`${cleanText(head.name)}  ${verdictOf(head, result)}`, columns);
  const shown = head.directions.slice(0, most);
  const lines = shown.flatMap((direction) => {
    const number = `${Math.round(100 * shareOf(direction))} %`.padStart(5);
    const [near, far] = direction.ends.map(
      (end) => `${end.cosine.toFixed(2)}  ${shorten(sumOf(end), Math.max(12, columns - 28), cellsOf)}`,
    );
    const chance = aboveChance(direction, result) ? "  " : " ·";
    return [
      `${number}  ${padCells(nameOf(head, direction), 10)}${chance}${near}`,
      `${" ".repeat(17)}↔ ${far}`,
    ];
  });
  const more = head.directions.length - shown.length;
  return [...heading, ...lines, ...(more > 0 ? [`        … ${more} more`] : [])];
}
