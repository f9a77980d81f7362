/** A model's head labels, for whatever shows them. */
export interface LabelListInput {
  readonly model: string;
  /** What the descriptions come from. */
  readonly source: string;
  /** Who named the heads, and who said which descriptions fit: each once. */
  readonly labelledBy: readonly string[];
  readonly judgedBy: readonly string[];
  readonly heads: readonly LabelledHead[];
  readonly unlabelled: readonly string[];
  /** What contradicts what, a sentence each. */
  readonly inconsistencies: readonly string[];
  readonly notice?: string;
}

/** One head. */
export interface LabelledHead {
  /** `L3.H1`. */
  readonly head: string;
  readonly label: string;
  readonly labelledBy: string;
  readonly descriptions: readonly {
    readonly text: string;
    /** Whether it fits the label; null where nobody judged. */
    readonly fits: boolean | null;
    /** 0–1: share of the head's variance; null where it is not known. */
    readonly explainedVariance: number | null;
    readonly tag: string | null;
  }[];
}

/** What stands above the list, a sentence each. */
export function introduction(input: LabelListInput): string[] {
  const { source, labelledBy, judgedBy } = input;
  const sentences = [`Labelled by ${labelledBy.join("; ")}.`];
  if (!hasDescriptions(input)) return labelledBy.length > 0 ? sentences : [];
  sentences.unshift(`Descriptions: ${source}.`);
  if (judgedBy.length > 0) {
    sentences.push(`✓ fits the label, ✗ does not; judged by ${judgedBy.join("; ")}.`);
  }
  return sentences;
}

/** False for labels that came without anything beside them. */
export const hasDescriptions = ({ heads }: LabelListInput): boolean =>
  heads.some(({ descriptions }) => descriptions.length > 0);

/** How many descriptions fit, `4/5`; `–` where nobody judged. */
export function fitting({ descriptions }: LabelledHead): string {
  if (descriptions.length === 0 || descriptions.some(({ fits }) => fits === null)) return "–";
  return `${descriptions.filter(({ fits }) => fits).length}/${descriptions.length}`;
}

/** The mark before a description. */
export const markOf = (fits: boolean | null): string => (fits === null ? "·" : fits ? "✓" : "✗");
