import type { ZeroShotResult } from "../../results/zero-shot.ts";
import { wrapCells } from "../kit/cells.ts";
import { fittedTable } from "../kit/table.ts";
import { counted } from "../kit/text.ts";
import { ablationCaption, ablationTable, forwardTable, insideWords } from "./words.ts";

/** Accuracy with and without components as a table for a terminal; numbers are per cent. */
export function ablationTerminal(result: ZeroShotResult, { columns }: { readonly columns: number }): string {
  const { origin, forward } = result;
  const { name, notice } = origin.model;
  const wrap = (text: string) => wrapCells(text, columns);
  const fitted = (table: ReturnType<typeof ablationTable>) => fittedTable(table.columns, table.rows, columns);
  const lines = wrap(`Zero-shot accuracy of ${name} without components`);
  if (notice !== null) lines.push(...wrap(`Note: ${notice}`));
  lines.push(...wrap(`${ablationCaption(result)} ${READING}`), "", ...fitted(ablationTable(result)));
  if (forward) {
    const meaning = `Heads taken away ${insideWords(forward)}; ${counted(forward.images, "image")}. “direct”: their direct effects alone, on the same images.`;
    lines.push("", ...wrap(meaning), "", ...fitted(forwardTable(forward)));
  }
  return `${lines.join("\n")}\n`;
}

const READING =
  "Per cent; in brackets 95\u00a0% intervals. “no higher”: random sets of as many heads without which accuracy is no higher.";
