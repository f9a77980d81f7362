import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import { chanceOf, factorsInWords, type HeadMatchInput, titleOf, withInterval } from "./words.ts";

/** The best pairs and what both respond to, as plain lines for a terminal. */
export function headMatchText(input: HeadMatchInput, { columns }: { readonly columns: number }): string {
  const lines = wrapCells(titleOf(input), columns);
  if (input.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(input.notice)}`, columns));
  const meaning = `Linear CKA of what the heads write, over ${counted(input.images, "image")}: 1 is alike, 0 unrelated.`;
  lines.push(...wrapCells(`${meaning} ${chanceOf(input.chance)}`, columns), "");
  const [a, b] = (["a", "b"] as const).map((side) =>
    input.pairs.reduce((most, pair) => Math.max(most, cellsOf(pair[side])), 0),
  );
  for (const pair of input.pairs) {
    const start = `${padCells(pair.a, a)}  ${padCells(pair.b, b)}  ${withInterval(pair)}  `;
    const room = Math.max(20, columns - cellsOf(start));
    lines.push(`${start}${shorten(factorsInWords(pair, 3), room, cellsOf)}`);
  }
  if (input.pairs.length === 0) lines.push("no pair of heads is above chance");
  const count = `${counted(input.mutual.length, "pair")} of heads are each other’s best match and above chance.`;
  lines.push("", ...wrapCells(count, columns));
  return `${lines.join("\n")}\n`;
}
