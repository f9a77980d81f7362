import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import { captionOf, percent, type SpanPanel, type TextspanInput, titleOf, verdictOf } from "./words.ts";

/** Texts of a head that a terminal shows of many heads; of one it shows all. */
const FIRST = 5;

/** Every head's texts as plain lines for a terminal. */
export function textspanText(input: TextspanInput, { columns }: { readonly columns: number }): string {
  const lines = [titleOf(input, columns, cellsOf)];
  if (input.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(input.notice)}`, columns));
  lines.push(...wrapCells(captionOf(input), columns));
  const most = input.panels.length === 1 ? Number.POSITIVE_INFINITY : FIRST;
  for (const panel of input.panels) lines.push("", ...panelLines(panel, most, columns));
  return lines.join("\n");
}

function panelLines(panel: SpanPanel, most: number, columns: number): string[] {
  const heading = wrapCells(`${cleanText(panel.name)}  ${verdictOf(panel)}`, columns);
  const texts = panel.texts.slice(0, most).map(({ text, property, share, chosenShare }) => {
    const numbers = `${percent(share).padStart(6)}${chosenShare === null ? "" : `  kept ${percent(chosenShare).padStart(5)}`}`;
    const tag = property === null ? "" : `  (${cleanText(property)})`;
    return `${padCells(numbers, 7)}  ${shorten(text, Math.max(12, columns - 24 - cellsOf(tag)), cellsOf)}${tag}`;
  });
  const more = panel.texts.length - texts.length;
  return [...heading, ...texts, ...(more > 0 ? [`        … ${more} more`] : [])];
}
