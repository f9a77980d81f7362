import { shorten } from "./text.ts";

/** Terminal cells that a text takes: two for East Asian characters and emoji, none for marks. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text.replace(/\p{M}|\u200d/gu, "")) {
    const code = character.codePointAt(0)!;
    cells += code >= 0x1100 && !(code >= 0x1e00 && code < 0x2e80) ? 2 : 1;
  }
  return cells;
}

/** `text` with spaces after it until it takes `width` cells. */
export function padCells(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - cellsOf(text)));
}

/** Prose broken between words into lines of at most `columns` cells; a longer word is cut. */
export function wrapCells(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").map((part) => shorten(part, columns, cellsOf))) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && cellsOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A bar of `length` characters, in halves. */
export function halfBlocks(length: number): string {
  const halves = Math.round(length * 2);
  return "█".repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? "▌" : "");
}
