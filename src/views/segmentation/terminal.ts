import { cellsOf, wrapCells } from "../kit/cells.ts";
import { cleanText, decimalsFor, formatSigned, shorten } from "../kit/text.ts";
import type { SegmentationInput, SegmentedText } from "./words.ts";
import { scoreInWords, setInWords, sumInWords } from "./words.ts";

/** What a terminal needs of a segmentation: the values patch by patch instead of a picture. */
export interface SegmentationLines
  extends Omit<SegmentationInput, "original" | "texts" | "baselines" | "winners"> {
  readonly texts: readonly (Omit<SegmentedText, "overlay"> & { readonly values: ArrayLike<number> })[];
  readonly winners?: readonly { readonly text: string; readonly patches: number }[];
}

/** Shades from nothing to the strongest patch. */
const SHADES = " ░▒▓█";

/** A segmentation as plain lines: a small map of each text, its sums, and where the strongest patch lies. */
export function segmentationText(
  input: SegmentationLines,
  { columns }: { readonly columns: number },
): string {
  const lines = [
    shorten(`${input.imageName} through ${setInWords(input)} of ${input.model}`, columns, cellsOf),
  ];
  if (input.notice !== undefined) lines.push(...wrapCells(`Note: ${cleanText(input.notice)}`, columns));
  for (const text of input.texts) lines.push("", ...textLines(input, text, columns));
  if (input.winners) {
    lines.push("", "which text leads where");
    for (const { text, patches } of input.winners) {
      const share = `${((100 * patches) / input.grid ** 2).toFixed(0)} %`.padStart(5);
      lines.push(`  ${share}  ${shorten(text, columns - 9, cellsOf)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function textLines(
  input: SegmentationLines,
  text: SegmentationLines["texts"][number],
  columns: number,
): string[] {
  const { grid, mode } = input;
  const against = mode === "contrast" ? " against the mean of the others" : "";
  const lines = [`“${shorten(text.text, columns - 2 - against.length, cellsOf)}”${against}`];
  if (2 * grid + 2 <= columns) lines.push(...shades(text.values, grid, text.limit).map((row) => `  ${row}`));
  const overlay = { png: new Uint8Array(), width: 1, height: 1 };
  lines.push(...wrapCells(sumInWords({ ...text, overlay }), columns - 2).map((line) => `  ${line}`));
  lines.push(...wrapCells(scoreInWords({ ...text, overlay }), columns - 2).map((line) => `  ${line}`));
  const best = Array.from(text.values).reduce((most, value, i) => (value > text.values[most] ? i : most), 0);
  const place = `row ${Math.floor(best / grid)}, column ${best % grid}`;
  lines.push(`  strongest patch: ${place}, ${formatSigned(text.values[best], 4)}`);
  if (text.patch) {
    const { row, column, value, heads } = text.patch;
    const decimals = decimalsFor(Math.abs(heads[0].value));
    lines.push(`  patch ${row},${column}: ${formatSigned(value, decimals)}, of which`);
    for (const head of heads.slice(0, 8))
      lines.push(`    ${head.name.padEnd(8)} ${formatSigned(head.value, decimals)}`);
    if (heads.length > 8) lines.push(`    ${heads.length - 8} more heads`);
  }
  return lines;
}

/** Rows of shades, two characters a patch; what is below zero is left blank. */
function shades(values: ArrayLike<number>, grid: number, limit: number): string[] {
  return Array.from({ length: grid }, (_, row) =>
    Array.from({ length: grid }, (__, column) => {
      const share = Math.max(0, values[row * grid + column]) / (limit || 1);
      return SHADES[Math.min(4, Math.round(share * 4))].repeat(2);
    })
      .join("")
      .trimEnd(),
  );
}
