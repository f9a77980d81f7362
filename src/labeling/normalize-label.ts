import { type Fold, SYNONYMS } from "../results/metrics.ts";

/*
 * When two labels are the same label. Published labels say "Animal" here and "animals" there, "Profession" and
 * "Occupation"; how much of that is folded together decides the metrics, so every step has a name and is shown.
 */

const FIRST_NAMES = new Map(
  Object.entries(SYNONYMS).flatMap(([first, others]) => others.map((other) => [other, first] as const)),
);

/** A label as it is compared. Space around and runs of it inside never count, but for `written`. */
export function normalizeLabel(label: string, fold: Fold = "synonym"): string {
  if (fold === "written") return label;
  const lower = label.trim().replace(/\s+/g, " ").toLowerCase();
  if (fold === "case") return lower;
  const singular = singularOf(lower);
  return fold === "plural" ? singular : (FIRST_NAMES.get(singular) ?? singular);
}

/** The last word without its plural: "-ies" becomes "-y", "-s" goes, but not of "-ss", "-us" and "-is". */
const singularOf = (text: string): string => text.replace(/ies$/, "y").replace(/(?<=[^\s][^sui\s])s$/, "");
