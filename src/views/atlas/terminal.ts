import type { AtlasHeadResult, AtlasResult, KnowingHeads } from "../../results/atlas.ts";
import { terminalTable } from "../kit/table.ts";
import { cleanText, counted, formatSigned, shorten } from "../kit/text.ts";
import {
  addedByChance,
  captionOf,
  explainedInWords,
  factorInWords,
  metricValue,
  percent,
  probability,
  titleOf,
} from "./words.ts";

const brief = (text: string, most: number) => shorten(text, most, () => 1);

/** Every head on a line. */
export function atlasTerminal(atlas: AtlasResult): string {
  const rows = atlas.heads.map(({ name, label, strongest, metrics, texts }) => [
    name,
    brief(label?.label ?? "–", 24),
    strongest
      ? `${brief(strongest.factor, 16)} ${strongest.sign === -1 ? "−" : ""}${percent(strongest.share)}`
      : "–",
    metricValue(metrics.explained, "share"),
    metrics.p === null ? "–" : probability(metrics.p),
    brief(texts[0] ?? "–", 40),
  ]);
  const columns = ["head", "label", "knows best", "#explained", "#p", "first text"];
  return [titleOf(atlas), captionOf(atlas), ...terminalTable(columns, rows)].join("\n");
}

/** One head in a few lines; its pictures are on its page. */
export function atlasHeadTerminal(page: AtlasHeadResult, steps: number): string {
  const { entry, factors, groups, effects, nearest } = page;
  const lines = [`${entry.name}${entry.label ? `  ${cleanText(entry.label.label)}` : ""}`];
  const sentence = explainedInWords(page, steps);
  if (sentence) lines.push(sentence);
  for (const [i, { text, explained }] of page.texts.slice(0, steps).entries()) {
    const chance = addedByChance(page, i);
    const beside = chance === undefined ? "" : ` (${percent(chance)} by chance)`;
    lines.push(`  ${percent(explained).padStart(5)}${beside}  ${brief(text, 60)}`);
  }
  if (factors.length > 0) lines.push(`knows: ${factors.slice(0, 3).map(factorInWords).join("; ")}`);
  const common = groups.flatMap(({ common: [first] }) => (first ? [`${first.factor} ${first.value}`] : []));
  if (common.length > 0) lines.push(`groups: ${cleanText(common.join(", "))}`);
  const worst = [...effects].sort((a, b) => a.without - a.whole - (b.without - b.whole))[0];
  if (worst)
    lines.push(
      `without it: ${worst.factor} ${percent(worst.whole)} → ${percent(worst.without)} by zero-shot classification`,
    );
  if (nearest.length > 0)
    lines.push(
      `like it: ${nearest.map(({ name, similarity }) => `${name} ${similarity.toFixed(2)}`).join(", ")}`,
    );
  return lines.join("\n");
}

/** The heads that know a text. */
export function knowingTerminal({ text, heads, origin }: KnowingHeads, most: number): string {
  const rows = heads
    .slice(0, most)
    .map(({ name, label, share, percentile, agreement }) => [
      name,
      brief(label?.label ?? "–", 24),
      `${(100 * share).toFixed(1)} %`,
      `${(100 * percentile).toFixed(0)} %`,
      agreement === null ? "–" : formatSigned(agreement, 2),
    ]);
  const columns = ["head", "label", "#of its variance", "#texts that it knows less", "#agrees with the rest"];
  return [
    `Heads that know “${brief(text, 60)}”, of ${counted(origin.pool.texts, "text")} (${origin.pool.name})`,
    ...terminalTable(columns, rows),
    "Below 0 in the last column a head writes against the text where all other components write towards it.",
  ].join("\n");
}
