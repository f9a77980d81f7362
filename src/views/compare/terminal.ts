import type { CompareResult } from "../../results/compare.ts";
import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import { chanceOf, factorsInWords, noticeOf, titleOf, withInterval } from "./words.ts";

/** The best pairs and what both respond to, as plain lines for a terminal. */
export function compareTerminal(result: CompareResult, { columns }: { readonly columns: number }): string {
  const lines = wrapCells(titleOf(result), columns);
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  const meaning = `Linear CKA of what the heads write, over ${counted(result.images, "image")}: 1 is alike, 0 unrelated.`;
  lines.push(...wrapCells(`${meaning} ${chanceOf(result.chance)}`, columns), "");
  const [a, b] = (["a", "b"] as const).map((side) =>
    result.pairs.reduce((most, pair) => Math.max(most, cellsOf(pair[side].name)), 0),
  );
  for (const pair of result.pairs) {
    const start = `${padCells(pair.a.name, a)}  ${padCells(pair.b.name, b)}  ${withInterval(pair)}  `;
    const room = Math.max(20, columns - cellsOf(start));
    lines.push(`${start}${shorten(factorsInWords(pair, 3), room, cellsOf)}`);
  }
  if (result.pairs.length === 0) lines.push("no pair of heads is above chance");
  const count = `${counted(result.mutual, "pair")} of heads are each other’s best match and above chance.`;
  lines.push("", ...wrapCells(count, columns));
  return `${lines.join("\n")}\n`;
}
