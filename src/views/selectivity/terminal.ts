import { isAboveChance } from "../../math/tails.ts";
import type { SelectivityResult } from "../../results/selectivity.ts";
import { cellsOf, halfBlocks, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import { percent, rankHeads, sizeOf, writesAway } from "./words.ts";

/** For every factor its five strongest heads with their shares, as plain lines for a terminal. */
export function selectivityTerminal(
  result: SelectivityResult,
  { columns }: { readonly columns: number },
): string {
  const { name, notice } = result.origin.model;
  const model = shorten(name, columns - 31, cellsOf);
  const lines = [`What each head of ${model} responds to`];
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  const meaning = `Share of what a head writes, over ${counted(result.images, "image")}, that a factor explains, beyond chance; away: the head writes away from the text of what it sees`;
  lines.push(...wrapCells(meaning, columns));
  for (const [index, factor] of result.factors.entries()) {
    const ofWhole = percent(result.embedding.factors[index].share);
    const size = `(${sizeOf(factor)}; whole embedding ${ofWhole})`;
    const title = shorten(factor.name, Math.max(12, columns - cellsOf(size) - 2), cellsOf);
    lines.push("", ...wrapCells(`${title}  ${size}`, columns), ...strongestLines(result, index, columns));
  }
  return `${lines.join("\n")}\n`;
}

function strongestLines(result: SelectivityResult, factor: number, columns: number): string[] {
  const heads = rankHeads(result, factor).slice(0, 5);
  if (heads.length === 0) return ["  no head follows it"];
  const width = Math.max(...heads.map(({ name }) => cellsOf(name)));
  const room = Math.max(0, Math.min(40, columns - width - 19));
  return heads.map(({ name, factors }) => {
    const { share } = factors[factor];
    const bar = halfBlocks(share * room);
    const away = writesAway(factors[factor]) ? `${bar} away` : bar;
    const remark = isAboveChance(factors[factor]) ? away : "not above chance";
    return `  ${padCells(name, width)}  ${percent(share).padStart(7)}  ${remark}`.trimEnd();
  });
}
