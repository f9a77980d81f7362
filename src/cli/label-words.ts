/** Labels in words, for the text and the page. */
import type { Estimate } from "../labeling/estimate.ts";
import type { Inconsistency } from "../labeling/inconsistencies.ts";
import type { Labels } from "../labels/labels-file.ts";
import type { LabelListInput } from "../views/labels/words.ts";

const unique = (texts: readonly string[]) => [...new Set(texts)].filter((text) => text !== "");

/** What the views show. */
export function labelList(
  { model, source, heads }: Labels,
  unlabelled: readonly string[],
  inconsistencies: readonly Inconsistency[],
  notice: string | undefined,
): LabelListInput {
  const all = Object.entries(heads);
  return {
    model,
    source,
    labelledBy: unique(all.map(([, { labeller }]) => labeller.by)),
    judgedBy: unique(all.map(([, { judge }]) => judge?.by ?? "")),
    heads: all.map(([head, { label, labeller, descriptions, tags, explainedVariance, consistent }]) => ({
      head,
      label,
      labelledBy: labeller.by,
      descriptions: descriptions.map((text, i) => ({
        text,
        fits: consistent[i] ?? null,
        explainedVariance: explainedVariance[i] ?? null,
        tag: tags[i] ?? null,
      })),
    })),
    unlabelled,
    inconsistencies: inconsistencies.map(sentenceOf),
    ...(notice !== undefined && { notice }),
  };
}

const WHY = {
  case: "differ in capital letters",
  spacing: "differ in spaces or hyphens",
  plural: "differ in singular and plural",
  misspelt: "are one letter apart",
} as const;

function sentenceOf({ kind, labels }: Inconsistency): string {
  const named = labels.map(({ label, heads }) => `“${label}” (${heads.join(", ")})`);
  switch (kind) {
    case "joined":
      return `${named[0]} is “${labels[1].label}” and “${labels[2].label}” run together`;
    case "listed":
      return `the list of heads for “${labels[0].label}” has some labelled ${named.slice(1).join(", ")}`;
    case "unlisted":
      return `the list of heads for “${labels[0].label}” leaves out ${named.slice(1).join(", ")}`;
    default:
      return `${named.join(" and ")} ${WHY[kind]}`;
  }
}

/** An estimate on one line. */
export function estimateText({ requests, cached, tokensIn, tokensOut, cost }: Estimate): string {
  const number = (value: number) => value.toLocaleString("en");
  const money = cost === null ? "" : `, costing about ${cost.toFixed(cost < 0.1 ? 4 : 2)}`;
  const kept = cached === 0 ? "" : ` (${number(cached)} more are answered already)`;
  return `estimate: ${number(requests)} requests${kept}, about ${number(tokensIn)} tokens in and ${number(tokensOut)} out${money}`;
}
