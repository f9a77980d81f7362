import type { Agreement, Exam } from "../../results/judging.ts";
import type { Estimate, Inconsistency, LabelledHead, LabelResult } from "../../results/label.ts";
import { counted } from "../kit/text.ts";
import { number, withRange } from "../study/words.ts";

/** Descriptions that CCS counts. */
const DESCRIPTIONS = 5;

const unique = (texts: readonly string[]) => [...new Set(texts)].filter((text) => text !== "");

/** Who named the heads, each once. */
export const labellersOf = ({ heads }: LabelResult): string[] =>
  unique(heads.map(({ labeller }) => labeller.by));

/** What is above the list, a sentence each. */
export function introduction(result: LabelResult): string[] {
  const labelledBy = labellersOf(result);
  const judgedBy = unique(result.heads.map(({ judge }) => judge?.by ?? ""));
  const sentences = [`Labelled by ${labelledBy.join("; ")}.`];
  if (!hasDescriptions(result)) return labelledBy.length > 0 ? sentences : [];
  sentences.unshift(`Descriptions: ${result.source}.`);
  if (judgedBy.length > 0) {
    sentences.push(`✓ fits the label, ✗ does not; judged by ${judgedBy.join("; ")}.`);
  }
  return sentences;
}

/** False for labels that came without anything beside them. */
export const hasDescriptions = ({ heads }: LabelResult): boolean =>
  heads.some(({ descriptions }) => descriptions.length > 0);

/** How many descriptions fit, `4/5`; `–` where nobody judged. */
export function fitting({ descriptions, consistent }: LabelledHead): string {
  if (descriptions.length === 0 || consistent.length === 0) return "–";
  return `${consistent.filter(Boolean).length}/${descriptions.length}`;
}

/** The mark before a head's description; a dot where nobody judged. */
export const markOf = ({ consistent }: LabelledHead, description: number): string =>
  consistent[description] === undefined ? "·" : consistent[description] ? "✓" : "✗";

/** What is below the list: what failed, how far judges agree, what they are worth. A sentence each. */
export function remarks({ failed, agreement, exam }: LabelResult): string[] {
  const found: string[] = [];
  const failures = failed.map(({ name, step }) => (step === "judge" ? `${name} (verdicts)` : name));
  if (failures.length > 0) {
    found.push(`No usable answer for ${failures.join(", ")}; the same command asks for them again.`);
  }
  if (agreement) found.push(agreementInWords(agreement));
  if (exam) found.push(...examInWords(exam));
  return found;
}

/** How far judges agree, a sentence. */
export function agreementInWords({ verdicts, pairs, fleiss }: Agreement): string {
  const each = pairs.map(({ judges, kappa }) => `${judges.join(" and ")} ${number(kappa)}`);
  const all = pairs.length > 1 ? `; Fleiss' κ of all ${number(fleiss)}` : "";
  return `Agreement on ${counted(verdicts, "verdict")}, Cohen's κ: ${each.join("; ")}${all}.`;
}

function examInWords({ questions, failed, judges, majority, corrected }: Exam): string[] {
  const rate = ({ share, low, high }: Exam["majority"]["sensitivity"]) => withRange(share, { low, high });
  const worth = ({ by, sensitivity, specificity }: Exam["majority"]) =>
    `${by}: sensitivity ${rate(sensitivity)}, specificity ${rate(specificity)}`;
  const all = judges.length > 1 ? [{ ...majority, by: "their majority" }] : [];
  const unread = failed.length > 0 ? ` (${failed.length} without a usable answer)` : "";
  const found = [
    `Examined with ${counted(questions, "question")}${unread} about texts whose property the pool knows. ${[...judges, ...all].map(worth).join("; ")}.`,
  ];
  if (corrected) {
    const { apparent, value, low, high } = corrected;
    const times = (share: number) => DESCRIPTIONS * share;
    found.push(
      value === null
        ? `The judges are no better than chance, so a mean CCS of ${number(times(apparent))} says nothing.`
        : `Mean CCS ${number(times(apparent))} of ${DESCRIPTIONS}; corrected for the judges' errors ${withRange(times(value), { low: times(low), high: times(high) })}.`,
    );
  }
  return found;
}

const WHY = {
  case: "differ in capital letters",
  spacing: "differ in spaces or hyphens",
  plural: "differ in singular and plural",
  misspelt: "are one letter apart",
} as const;

/** What contradicts what. */
export function contradiction({ kind, labels }: Inconsistency): string {
  const named = labels.map(({ label, heads }) => `“${label}” (${heads.map(({ name }) => name).join(", ")})`);
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
export function estimateInWords({ requests, cached, tokensIn, tokensOut, cost }: Estimate): string {
  const number = (value: number) => value.toLocaleString("en");
  const money = cost === null ? "" : `, costing about ${cost.toFixed(cost < 0.1 ? 4 : 2)}`;
  const kept = cached === 0 ? "" : ` (${number(cached)} more are answered already)`;
  return `estimate: ${number(requests)} requests${kept}, about ${number(tokensIn)} tokens in and ${number(tokensOut)} out${money}`;
}
