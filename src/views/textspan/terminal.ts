import type { Span } from "../../results/textspan.ts";
import { cellsOf, padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, shorten } from "../kit/text.ts";
import { type AnyTextspan, captionOf, noticeOf, percent, spansOf, titleOf, verdictOf } from "./words.ts";

/** Texts of a head that a terminal shows of many heads; of one it shows all. */
const FIRST = 5;

/** Every head's texts as plain lines for a terminal. */
export function textspanTerminal(result: AnyTextspan, { columns }: { readonly columns: number }): string {
  const lines = [titleOf(result, columns, cellsOf)];
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  lines.push(...wrapCells(captionOf(result), columns));
  const spans = spansOf(result);
  const most = spans.length === 1 ? Number.POSITIVE_INFINITY : FIRST;
  for (const [name, span] of spans) lines.push("", ...spanLines(name, span, most, columns));
  return `${lines.join("\n")}\n`;
}

function spanLines(name: string, span: Span, most: number, columns: number): string[] {
  const heading = wrapCells(`${cleanText(name)}  ${verdictOf(span)}`, columns);
  const texts = span.descriptions
    .slice(0, most)
    .map(({ text, property, explainedVariance: share, chosenShare }) => {
      const numbers = `${percent(share).padStart(6)}${chosenShare === null ? "" : `  kept ${percent(chosenShare).padStart(5)}`}`;
      const tag = property === null ? "" : `  (${cleanText(property)})`;
      return `${padCells(numbers, 7)}  ${shorten(text, Math.max(12, columns - 24 - cellsOf(tag)), cellsOf)}${tag}`;
    });
  const more = span.descriptions.length - texts.length;
  return [...heading, ...texts, ...(more > 0 ? [`        … ${more} more`] : [])];
}
