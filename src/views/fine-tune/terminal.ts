import type { FineTuneResult } from "../../results/fine-tune.ts";
import { wrapCells } from "../kit/cells.ts";
import { fittedTable } from "../kit/table.ts";
import { cleanText, counted } from "../kit/text.ts";
import { captionOf, changedHeads, noticeOf, tableOf, titleOf } from "./words.ts";

/** Heads that a terminal shows. */
const FIRST = 20;

/** The heads that changed most, as a table for a terminal. */
export function fineTuneTerminal(result: FineTuneResult, { columns }: { readonly columns: number }): string {
  const lines = wrapCells(cleanText(titleOf(result)), columns);
  const notice = noticeOf(result);
  if (notice !== null) lines.push(...wrapCells(`Note: ${cleanText(notice)}`, columns));
  lines.push(...wrapCells(cleanText(captionOf(result)), columns), "");
  const { columns: names, rows } = tableOf(result, FIRST);
  lines.push(...(rows.length > 0 ? fittedTable(names, rows, columns) : ["no head changed"]));
  const more = changedHeads(result).length - rows.length;
  if (more > 0) lines.push(`… ${counted(more, "more head")} changed less`);
  return `${lines.join("\n")}\n`;
}
