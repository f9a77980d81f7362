import type { DebiasResult } from "../../results/debias.ts";
import { wrapCells } from "../kit/cells.ts";
import { percent } from "../kit/chart.ts";
import { fittedTable } from "../kit/table.ts";
import {
  BASELINE_WORDS,
  baselineTable,
  debiasCaption,
  debiasHeadline,
  debiasTitle,
  forwardTable,
  forwardTitle,
  groupsInOrder,
  groupTable,
  SELECTION_WORDS,
  selectionTable,
} from "./words.ts";

/** Groups that a terminal lists. */
const LISTED = 8;

/** What was removed and what came of it, for a terminal; numbers are per cent. */
export function debiasTerminal(result: DebiasResult, { columns }: { readonly columns: number }): string {
  const { origin, forward, selections } = result;
  const { notice } = origin.model;
  const wrap = (text: string) => wrapCells(text, columns);
  const fitted = (table: ReturnType<typeof selectionTable>) =>
    fittedTable(table.columns, table.rows, columns);
  const lines = wrap(debiasTitle(result));
  if (notice !== null) lines.push(...wrap(`Note: ${notice}`));
  lines.push("", ...wrap(debiasHeadline(result)), ...wrap(debiasCaption(result)), "");
  lines.push(...fitted(selectionTable(result)), "");
  const ways = selections.map(({ selection }) => `${selection}: ${SELECTION_WORDS[selection]}`).join("; ");
  lines.push(...wrap(`* the one used. ${ways}. ${READING}`), "");
  if (result.baselines.length > 0) lines.push(...wrap(BASELINE_WORDS), ...fitted(baselineTable(result)), "");
  const groups = groupsInOrder(result);
  lines.push(...fitted(groupTable(groups.slice(0, LISTED), ({ share }) => percent(share))));
  if (groups.length > LISTED) {
    const rest = `… and ${groups.length - LISTED} groups that were better before (--out draws them all)`;
    lines.push(...wrap(rest));
  }
  for (const part of forward) lines.push("", ...wrap(forwardTitle(part)), ...fitted(forwardTable(part)));
  return `${lines.join("\n")}\n`;
}

const READING =
  "“random”: as many other heads, from the same layers / from all layers; the best worst-group accuracy among them, and how many sets reach the chosen one’s.";
