import { cellsOf, halfBlocks, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import { percent, rankHeads, type SelectivityMatrixInput, sizeOf } from "./words.ts";

/** For every factor its five strongest heads with their shares, as plain lines for a terminal. */
export function selectivityMatrixText(
  input: SelectivityMatrixInput,
  { columns }: { readonly columns: number },
): string {
  const model = shorten(input.model, columns - 31, cellsOf);
  const lines = [`What each head of ${model} responds to`];
  if (input.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(input.notice)}`, columns));
  const meaning = `Share of what a head writes, over ${counted(input.images, "image")}, that a factor explains, beyond chance`;
  lines.push(...wrapCells(meaning, columns));
  for (const [index, factor] of input.factors.entries()) {
    const whole = input.components.find(({ name }) => name === "embedding");
    const ofWhole = whole === undefined ? "" : `; whole embedding ${percent(whole.shares[index])}`;
    const size = `(${sizeOf(factor)}${ofWhole})`;
    const name = shorten(factor.name, Math.max(12, columns - cellsOf(size) - 2), cellsOf);
    lines.push("", ...wrapCells(`${name}  ${size}`, columns), ...strongestLines(input, index, columns));
  }
  return `${lines.join("\n")}\n`;
}

function strongestLines(input: SelectivityMatrixInput, factor: number, columns: number): string[] {
  const heads = rankHeads(input, factor).slice(0, 5);
  if (heads.length === 0) return ["  no heads"];
  const width = Math.max(...heads.map(({ name }) => cellsOf(name)));
  const room = Math.max(0, Math.min(40, columns - width - 14));
  return heads.map(({ name, shares, significant }) => {
    const remark = significant[factor] ? halfBlocks(shares[factor] * room) : "not above chance";
    return `  ${padCells(name, width)}  ${percent(shares[factor]).padStart(7)}  ${remark}`.trimEnd();
  });
}
