import { wrapCells } from "../kit/cells.ts";
import { terminalTable } from "../kit/table.ts";
import { cleanText } from "../kit/text.ts";
import {
  type DebiasPicture,
  debiasCaption,
  debiasHeadline,
  FORWARD_HEAD,
  forwardCells,
  forwardTitle,
  SELECTION_HEAD,
  SELECTION_WORDS,
  selectionCells,
} from "./words.ts";

/** What was removed and what came of it, for a terminal; numbers are per cent. */
export function debiasText(picture: DebiasPicture, { columns }: { readonly columns: number }): string {
  const { cue, model, groups, forward, selections, notice } = picture;
  const wrap = (text: string) => wrapCells(text, columns);
  const lines = wrap(`Removing the cue "${cleanText(cue)}" from ${cleanText(model)}`);
  if (notice !== undefined) lines.push(...wrap(`Note: ${cleanText(notice)}`));
  lines.push("", ...wrap(debiasHeadline(picture)), ...wrap(debiasCaption(picture)), "");
  lines.push(...terminalTable(SELECTION_HEAD, selectionCells(picture)), "");
  const words = selections.map(({ selection }) => `${selection}: ${SELECTION_WORDS[selection]}`).join("; ");
  const controls =
    '"random": as many other heads, from the same layers / from all layers; the best worst-group accuracy among them, and how many sets reach the chosen one\'s.';
  lines.push(...wrap(`* the one used. Chosen by ${words}. ${controls}`), "");
  const sorted = [...groups].sort((a, b) => a.before.share - b.before.share);
  const shown = sorted.slice(0, 8);
  const percent = (share: number) => (100 * share).toFixed(1);
  lines.push(
    ...terminalTable(
      ["group", "images", "before", "after", "random heads"],
      shown.map(({ name, before, after, random }) => [
        cleanText(name),
        String(after.n),
        percent(before.share),
        percent(after.share),
        random ? `${percent(random.mean)} [${percent(random.low)}, ${percent(random.high)}]` : "–",
      ]),
    ),
  );
  if (sorted.length > shown.length) {
    lines.push(`… and ${sorted.length - shown.length} groups that were better before (--out draws them all)`);
  }
  for (const part of forward) {
    lines.push("", ...wrap(forwardTitle(part)), ...terminalTable(FORWARD_HEAD, forwardCells(part)));
  }
  return lines.join("\n");
}
