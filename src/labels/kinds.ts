/** How a label came about. */
export const LABELLER_KINDS = ["tags", "llm", "published", "manual"] as const;
export type LabellerKind = (typeof LABELLER_KINDS)[number];
