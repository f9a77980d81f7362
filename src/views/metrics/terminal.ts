import { type ByFold, METRICS, type MeasuredFile, type MetricsResult } from "../../results/metrics.ts";
import { padCells, wrapCells } from "../kit/cells.ts";
import { cleanText, counted, shorten } from "../kit/text.ts";
import { agreementInWords } from "../labels/words.ts";
import { number, rangeOf } from "../study/words.ts";

/** The metrics of some label files as lines for a terminal. */
export function metricsTerminal(
  { files }: Pick<MetricsResult, "files">,
  { columns }: { readonly columns: number },
): string {
  return `${files.map((file) => fileLines(file, columns).join("\n")).join("\n\n")}\n`;
}

/** Lines that are set in by two, those that go on as well. */
const setIn = (text: string, columns: number): string[] =>
  wrapCells(text, columns - 2).map((line) => `  ${line}`);

function fileLines(file: MeasuredFile, columns: number): string[] {
  const { model, metrics, labellers, judges, baselines, byLayer, byProperty } = file;
  const made = `${counted(metrics.heads, "head")}; labels: ${labellers.join(", ")}; judge: ${judges.join(", ") || "nobody, so CCS and association are not known"}`;
  const lines = [
    shorten(model || file.origin.labels.name, columns, (part) => part.length),
    ...wrapCells(cleanText(made), columns),
  ];
  if (file.agreement) lines.push(...wrapCells(cleanText(agreementInWords(file.agreement)), columns));
  if (metrics.judged > 0) {
    lines.push(`  CCS 0–5: ${metrics.histogram.join(" ")} heads`);
    const { chanceCcs } = file;
    if (chanceCcs) lines.push(`  by chance: ${chanceCcs.map((p) => `${number(100 * p, 0)} %`).join(" ")}`);
  }
  for (const { key, name, better, of } of METRICS) {
    const value = of(metrics);
    if (value === null) continue;
    const chance = baselines?.randomTexts[key] ?? null;
    const beside = chance === null ? "" : `  random texts ${number(chance.mean)} ${rangeOf(chance)}`;
    lines.push(`  ${padCells(`${name} ${better === "higher" ? "↑" : "↓"}`, 22)}${number(value, 3)}${beside}`);
  }
  if (file.equalHeads) {
    const { heads, of, entanglement, duplicates } = file.equalHeads;
    const drawn =
      heads === of ? `all ${counted(of, "head")}` : `${heads} of ${counted(of, "head")}, drawn at random`;
    const values = `entanglement ${number(entanglement.synonym, 3)}, 1 − distinct/n ${number(duplicates.synonym, 3)}`;
    lines.push(...setIn(`at equal numbers (${drawn}): ${values}`, columns));
  }
  const { entanglement: e, duplicates: d } = metrics;
  const folds = (values: ByFold) =>
    `as written ${number(values.written, 3)}, case ${number(values.case, 3)}, plural ${number(values.plural, 3)}, synonyms ${number(values.synonym, 3)}`;
  lines.push(...setIn(`entanglement by what is folded: ${folds(e)}`, columns));
  lines.push(...setIn(`1 − distinct/n likewise: ${folds(d)}`, columns));
  const shared = byProperty.filter(({ heads }) => heads.length > 1).slice(0, 8);
  if (shared.length > 0) {
    const words = shared.map(({ name, heads }) => `${name} (${heads.length})`).join(", ");
    lines.push(...wrapCells(cleanText(`labels that most heads share: ${words}`), columns));
  }
  const layers = byLayer.map(({ name, association, entanglement }) =>
    association === null
      ? `${name} entanglement ${number(entanglement)}`
      : `${name} association ${number(association)}, entanglement ${number(entanglement)}`,
  );
  lines.push(...wrapCells(`by layer: ${layers.join("; ")}`, columns));
  return lines;
}
