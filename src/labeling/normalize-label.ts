/*
 * When two labels are the same label. Published labels say "Animal" here and "animals" there, "Profession" and
 * "Occupation"; how much of that is folded together decides the metrics, so every step has a name and is shown.
 */

/** How much is folded: nothing, letter case, case and plural, or those and the synonym table. */
export const FOLDS = ["written", "case", "plural", "synonym"] as const;
export type Fold = (typeof FOLDS)[number];

/**
 * What counts as one label: the first name stands for those after it, all in lower case and singular. Only other
 * spellings and words for the same thing; nothing is folded into a wider term (a bird stays no animal).
 */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  activity: ["action"],
  art: ["artistic", "artwork"],
  "body part": ["anatomy", "bodypart"],
  color: ["color palette", "colorful", "colorpalette", "colour"],
  count: ["counting", "number", "quantity"],
  description: ["descriptive", "descriptive style", "descriptor"],
  "facial expression": ["expression"],
  location: ["geo-location", "geographic location", "place"],
  object: ["item"],
  occupation: ["profession"],
  season: ["seasonal"],
  vehicle: ["transportation"],
};

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
