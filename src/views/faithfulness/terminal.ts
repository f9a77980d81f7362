import type { Faithfulness } from "../../results/faithfulness.ts";
import { wrapCells } from "../kit/cells.ts";
import { fittedTable } from "../kit/table.ts";
import { counted } from "../kit/text.ts";
import {
  askedInWords,
  faithfulnessNotice,
  faithfulnessTable,
  faithfulnessTitle,
  leadersInWords,
  sanityTable,
} from "./words.ts";

/** The evaluation as tables for a terminal. */
export function faithfulnessTerminal(
  result: Faithfulness,
  { columns }: { readonly columns: number },
): string {
  const wrap = (text: string) => wrapCells(text, columns);
  const notice = faithfulnessNotice(result);
  const measured = faithfulnessTable(result);
  const sanity = sanityTable(result);
  const lines = [
    ...wrap(faithfulnessTitle(result)),
    ...(notice === null ? [] : wrap(`Note: ${notice}`)),
    ...wrap(askedInWords(result)),
    ...(result.unmatched.length > 0
      ? wrap(`without a partner: ${counted(result.unmatched.length, "file")}`)
      : []),
    ...result.rejected.flatMap(({ path, code, message }) => wrap(`rejected: ${path} (${code}: ${message})`)),
    ...["", ...fittedTable(measured.columns, measured.rows, columns), ""],
    ...leadersInWords(result).flatMap(wrap),
    ...(sanity === null
      ? []
      : ["", ...wrap(sanity.caption), ...fittedTable(sanity.columns, sanity.rows, columns)]),
  ];
  return `${lines.join("\n")}\n`;
}
