import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import { fitting, hasDescriptions, introduction, type LabelListInput, markOf } from "./words.ts";

/** Room that texts need beside the label; with less they stand below it. */
const LEAST_ROOM = 40;

/** Every head with its label, how many of its descriptions fit, and these, as plain lines for a terminal. */
export function labelListText(input: LabelListInput, { columns }: { readonly columns: number }): string {
  const wrapped = (text: string) => wrapCells(cleanText(text), columns);
  const lines = wrapped(`What each head of ${shorten(input.model, columns, cellsOf)} looks for`);
  if (input.notice !== undefined) lines.push(...wrapped(`Note: ${input.notice}`));
  lines.push(...introduction(input).flatMap(wrapped), "", ...table(input, columns));
  if (input.unlabelled.length > 0) lines.push("", ...wrapped(`No label: ${input.unlabelled.join(", ")}`));
  if (input.inconsistencies.length > 0) {
    lines.push("", ...wrapped("Labels that contradict each other:"));
    for (const sentence of input.inconsistencies) {
      const parts = wrapCells(cleanText(sentence), columns - 2);
      lines.push(...parts.map((line, part) => `${part === 0 ? "- " : "  "}${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

function table(input: LabelListInput, columns: number): string[] {
  const described = hasDescriptions(input);
  const longest = Math.max(4, ...input.heads.map(({ head }) => cellsOf(head)));
  const rows = input.heads.map((head) => [
    head.head,
    shorten(head.label, Math.min(32, columns - longest - 7), cellsOf),
    ...(described ? [fitting(head)] : []),
  ]);
  const names = ["head", "label", ...(described ? ["fit"] : [])];
  const widths = names.map((name, column) =>
    Math.max(cellsOf(name), ...rows.map((row) => cellsOf(row[column]))),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => padCells(cell, widths[column])).join("  ");
  const beside = columns - cellsOf(line(names)) - 2 >= LEAST_ROOM;
  const margin = " ".repeat(2 + (beside ? cellsOf(line(names)) : widths[0]));
  const lines = [described && beside ? `${line(names)}  texts` : line(names).trimEnd()];
  for (const [index, { descriptions }] of input.heads.entries()) {
    const start = line(rows[index]);
    const marked = descriptions.map(({ text, fits }) => `${markOf(fits)} ${cleanText(text)}`);
    const texts = flow(marked, columns - margin.length);
    if (beside && texts.length > 0) lines.push(`${start}  ${texts[0]}`);
    else lines.push(start.trimEnd());
    lines.push(...texts.slice(beside ? 1 : 0).map((text) => `${margin}${text}`));
  }
  return lines;
}

/** Items one after another, as many on a line as fit, none broken; one that is longer than a line is cut. */
function flow(items: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const item of items.map((text) => shorten(text, columns, cellsOf))) {
    const longer = `${lines.at(-1)}  ${item}`;
    if (lines.length > 0 && cellsOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(item);
  }
  return lines;
}
