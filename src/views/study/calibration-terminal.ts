import type { CalibrateResult, Meaning } from "../../results/calibrate.ts";
import { CALIBRATION_MEASURES } from "../../results/study.ts";
import { padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted } from "../kit/text.ts";
import { number, percent, withRange } from "./words.ts";

/** Whether the labels of a file are true, as lines for a terminal. */
export function calibrationTerminal(
  { origin, labellers, meanings, left, calibration }: CalibrateResult,
  { columns }: { readonly columns: number },
): string {
  const wrapped = (text: string) => wrapCells(cleanText(text), columns);
  const { heads, constant, measures } = calibration;
  const right = heads.filter((head) => head.right).length;
  const { chance, p, layerChance } = measures.right;
  const lines = [
    ...wrapped(
      `Labels of ${origin.labels.name} (${labellers.join("; ")}) beside what the heads of ${origin.model.name} respond to`,
    ),
    "",
    ...wrapped(
      `Right: ${right} of ${counted(heads.length, "head")} (${percent(right / heads.length)}). Dealt out again at random: ${withRange(chance?.mean ?? null, chance)}, p ${p === null ? "–" : p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}; within layers: ${withRange(layerChance?.mean ?? null, layerChance)}.`,
    ),
  ];
  if (constant) {
    lines.push(
      ...wrapped(
        `One label for all heads, ${constant.label}, is right of ${constant.right} (p ${number(constant.p, 3)} that the labels are no better).`,
      ),
    );
  }
  for (const { key, name } of CALIBRATION_MEASURES.slice(1)) {
    const { value, chance: drawn } = measures[key];
    if (value === null) continue;
    const beside = drawn ? `  dealt out again ${withRange(drawn.mean, drawn)}` : "";
    lines.push(`  ${padCells(name, 42)}${number(value)}${beside}`);
  }
  const known = meanings.filter(({ factor }) => factor !== null);
  const unknown = meanings.filter(({ factor }) => factor === null);
  const uses = ({ label, factor, heads: of }: Meaning) =>
    `${label}${factor === null || factor === label ? "" : ` = ${factor}`} (${of.length})`;
  if (known.length > 0) lines.push("", ...wrapped(`Labels and their factors: ${known.map(uses).join(", ")}`));
  if (unknown.length > 0) {
    lines.push(
      ...wrapped(
        `Labels that stand for no known factor, so are never right (--synonyms says what they mean): ${unknown.map(uses).join(", ")}`,
      ),
    );
  }
  if (left.length > 0)
    lines.push(...wrapped(`Not judged, so left out: ${left.map(({ name }) => name).join(", ")}`));
  return `${lines.join("\n")}\n`;
}
