import { cellsOf, padCells, wrapCells } from "./cells.ts";
import { cleanText, escapeXml, shorten } from "./text.ts";

/** A table as plain text: columns whose name starts with `#` hold numbers, and are set to the right. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** HTML of a cell; by default a header in the first column of a row and data in the others. */
export type HtmlCell = string | { readonly html: string; readonly as?: "th" | "td"; readonly class?: string };

/** A table whose caption, names and cells are HTML. */
export interface HtmlTable {
  readonly caption?: string;
  /** Columns whose name starts with `#` hold numbers, and are set to the right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly HtmlCell[])[];
  /** Rows below the body, such as sums. */
  readonly foot?: readonly (readonly HtmlCell[])[];
  /** What is shown where there are no rows. */
  readonly empty?: string;
}

const isNumber = (column: string) => column.startsWith("#");
const nameOf = (column: string) => column.replace(/^#/, "");

/** A `<table>`; texts in it must be escaped already. */
export function htmlTable({ caption, columns, rows, foot, empty = "" }: HtmlTable): string {
  const cell = (given: HtmlCell, column: number) => {
    const { html, as = column === 0 ? "th" : "td", class: other } = asObject(given);
    const names = [...(isNumber(columns[column] ?? "") ? ["n"] : []), ...(other ? [other] : [])];
    const attributes =
      (as === "th" ? ' scope="row"' : "") + (names.length ? ` class="${names.join(" ")}"` : "");
    return `<${as}${attributes}>${html}</${as}>`;
  };
  const lines = (part: readonly (readonly HtmlCell[])[]) =>
    part.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  const head = columns.map(
    (name) => `<th scope="col"${isNumber(name) ? ' class="n"' : ""}>${nameOf(name)}</th>`,
  );
  const none = empty === "" ? "" : `<tr><td colspan="${columns.length}">${empty}</td></tr>`;
  return (
    `<table>${caption === undefined ? "" : `<caption>${caption}</caption>`}\n` +
    `<thead><tr>${head.join("")}</tr></thead>\n<tbody>${rows.length > 0 ? lines(rows) : none}</tbody>` +
    `${foot === undefined ? "" : `\n<tfoot>${lines(foot)}</tfoot>`}</table>`
  );
}

const asObject = (cell: HtmlCell) => (typeof cell === "string" ? { html: cell } : cell);

/** A wide table in a box that scrolls, also by keyboard; `label` is read to people who cannot see it. */
export const scrolling = (table: string, label: string): string =>
  `<div class="wide" tabindex="0" role="region" aria-label="${escapeXml(label)}">\n${table}\n</div>\n`;

/** Tables side by side where they fit; one that is wider than its page scrolls in a box of its own. */
export const sideBySide = (tables: readonly string[], label: string): string =>
  `<div class="tables">\n${tables.map((table, i) => scrolling(table, `${label}, table ${i + 1}`)).join("")}</div>`;

/** A table of texts as HTML that may scroll; an interval in brackets at a cell's end is set smaller. */
export function tableHtml({ caption, columns, rows }: Table): string {
  const small = (cell: string) => escapeXml(cell).replace(/ (\[.*\])$/, " <small>$1</small>");
  const body = rows.map((row) => row.map((cell, i) => (i === 0 ? escapeXml(cell) : small(cell))));
  return scrolling(
    htmlTable({ caption: escapeXml(caption), columns: columns.map(escapeXml), rows: body }),
    caption,
  );
}

/** A table of texts as Markdown. */
export function tableMarkdown({ caption, columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(inlineMarkdown).join(" | ")} |`;
  const rule = columns.map((name) => (isNumber(name) ? "---:" : "---"));
  return [
    `**${inlineMarkdown(caption)}**\n`,
    line(columns.map(nameOf)),
    `| ${rule.join(" | ")} |`,
    ...rows.map(line),
  ].join("\n");
}

/** Text in which nothing means anything to Markdown. */
export const inlineMarkdown = (text: string): string =>
  cleanText(text).replaceAll(/([\\`*_{}[\]<>|#])/g, "\\$1");

/**
 * Lines for a terminal with aligned columns, whatever names they hold; the first line is the head.
 * @param columns names; one that starts with `#` is set to the right
 */
export function terminalTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(nameOf), ...rows].map((row) => row.map(cleanText));
  const widths = columns.map((_, column) => Math.max(...all.map((row) => cellsOf(row[column]))));
  const placed = (cell: string, column: number) =>
    isNumber(columns[column])
      ? " ".repeat(widths[column] - cellsOf(cell)) + cell
      : padCells(cell, widths[column]);
  return all.map((row) => row.map(placed).join("  ").trimEnd());
}

/** A column of texts is cut to no less than this. */
const LEAST = 12;

/**
 * A {@link terminalTable} at most `room` cells wide: texts are cut where they must be, numbers never. Where even that
 * takes more room, each row is its first cell with the others as a list below it.
 */
export function fittedTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  room: number,
): string[] {
  const texts = columns.map((name) => !isNumber(name));
  const widest = Math.max(...rows.flatMap((row) => row.map((cell, i) => (texts[i] ? cellsOf(cell) : 0))));
  for (let limit = Math.max(widest, LEAST); limit >= LEAST; limit--) {
    const cut = rows.map((row) => row.map((cell, i) => (texts[i] ? shorten(cell, limit, cellsOf) : cell)));
    const lines = terminalTable(columns, cut);
    if (lines.every((line) => cellsOf(line) <= room)) return lines;
  }
  return rows.flatMap(([name, ...cells]) => {
    const listed = cells.map((cell, i) => (cell === "" ? "" : `${nameOf(columns[i + 1])}: ${cell}`));
    return [
      ...wrapCells(name, room),
      ...listed.filter(Boolean).flatMap((line) => wrapCells(line, room - 2).map((part) => `  ${part}`)),
    ];
  });
}
