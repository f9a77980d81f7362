import { cellsOf, wrapCells } from "../kit/cells.ts";
import { terminalTable } from "../kit/table.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import {
  type AblationPicture,
  ablationCaption,
  type PictureBand,
  type PictureShare,
  replacementWords,
} from "./svg.ts";

const percent = (share: number) => (100 * share).toFixed(1);
const interval = ({ share, low, high }: PictureShare) =>
  `${percent(share)} [${percent(low)}, ${percent(high)}]`;
const bandText = (band: PictureBand | null) =>
  band === null ? "–" : `${percent(band.mean)} [${percent(band.low)}, ${percent(band.high)}]`;
const atMost = (band: PictureBand | null) =>
  band === null
    ? "–"
    : `${Math.round(band.atMost * band.draws)} of ${band.draws}${band.exhaustive ? " (all)" : ""}`;

/** Accuracy with and without components as a table for a terminal; numbers are per cent. */
export function ablationText(picture: AblationPicture, { columns }: { readonly columns: number }): string {
  const { whole, rows, forward } = picture;
  const grouped = whole.worst !== null;
  const lines = [`Zero-shot accuracy of ${shorten(picture.model, columns - 30, cellsOf)} without components`];
  if (picture.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(picture.notice)}`, columns));
  lines.push(...wrapCells(ablationCaption(picture), columns), "");
  const worst = (group: (PictureShare & { name: string }) | null) =>
    grouped ? [group ? `${percent(group.share)} ${shorten(group.name, 30, cellsOf)}` : "–"] : [];
  const head = ["without", "accuracy", ...(grouped ? ["worst group"] : []), "random heads", "no higher"];
  const named = (name: string) => shorten(name, 40, cellsOf);
  lines.push(
    ...terminalTable(head, [
      ["nothing", interval(whole.accuracy), ...worst(whole.worst), "–", "–"],
      ...rows.map(({ name, accuracy, worst: group, random }) => [
        ...[named(name), interval(accuracy), ...worst(group), bandText(random), atMost(random)],
      ]),
    ]),
  );
  if (forward) {
    const meaning = `Heads taken away inside the network, at every token, over ${counted(forward.images, "image")}; in their place ${replacementWords(forward.replacement)}${forward.calibration > 0 ? ` (over ${counted(forward.calibration, "image")})` : ""}. "direct": their direct effects alone, on the same images.`;
    lines.push("", ...wrapCells(meaning, columns), "");
    lines.push(
      ...terminalTable(
        ["without", "accuracy", ...(grouped ? ["worst group"] : []), "direct", "random heads", "no higher"],
        [
          ["nothing", interval(forward.whole.accuracy), ...worst(forward.whole.worst), "–", "–", "–"],
          ...forward.rows.map(({ name, accuracy, worst: group, direct, random }) => [
            ...[named(name), interval(accuracy), ...worst(group)],
            ...[percent(direct.accuracy.share), bandText(random), atMost(random)],
          ]),
        ],
      ),
    );
  }
  return lines.join("\n");
}
