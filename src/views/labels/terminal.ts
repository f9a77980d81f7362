import type { LabelResult } from "../../results/label.ts";
import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import { contradiction, fitting, hasDescriptions, introduction, markOf, remarks } from "./words.ts";

/** Room that texts need beside the label; with less they are below it. */
const LEAST_ROOM = 40;

/** Every head with its label, how many of its descriptions fit, and these, as plain lines for a terminal. */
export function labelsTerminal(result: LabelResult, { columns }: { readonly columns: number }): string {
  const wrapped = (text: string) => wrapCells(cleanText(text), columns);
  const lines = wrapped(`What each head of ${shorten(result.model, columns, cellsOf)} looks for`);
  const notice = result.origin.model?.notice;
  if (notice) lines.push(...wrapped(`Note: ${notice}`));
  lines.push(...introduction(result).flatMap(wrapped), "", ...table(result, columns));
  const unlabelled = result.unlabelled.map(({ name }) => name);
  if (unlabelled.length > 0) lines.push("", ...wrapped(`No label: ${unlabelled.join(", ")}`));
  const below = remarks(result);
  if (below.length > 0) lines.push("", ...below.flatMap(wrapped));
  if (result.inconsistencies.length > 0) {
    lines.push("", ...wrapped("Labels that contradict each other:"));
    for (const found of result.inconsistencies) {
      const parts = wrapCells(cleanText(contradiction(found)), columns - 2);
      lines.push(...parts.map((line, part) => `${part === 0 ? "- " : "  "}${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

function table(result: LabelResult, columns: number): string[] {
  const described = hasDescriptions(result);
  const longest = Math.max(4, ...result.heads.map(({ name }) => cellsOf(name)));
  const rows = result.heads.map((head) => [
    head.name,
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
  for (const [index, head] of result.heads.entries()) {
    const start = line(rows[index]);
    const marked = head.descriptions.map((text, i) => `${markOf(head, i)} ${cleanText(text)}`);
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
