/*
 * When two labels are the same label. Published labels say "Animal" here and "animals" there, "Profession" and
 * "Occupation"; how much of that is folded together decides the metrics, so every step has a name and is shown.
 */
import { foldLabel } from "./fold.ts";

/** How much is folded: nothing, letter case, case and plural, or those and the synonym table. */
export const FOLDS = ["written", "case", "plural", "synonym"] as const;
export type Fold = (typeof FOLDS)[number];

/**
 * What counts as one label: the first name stands for those after it, whatever their case, plural and spaces. Only other
 * words for the same thing; nothing is folded into a wider term (a bird stays no animal).
 */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  activity: ["action"],
  art: ["artistic", "artwork"],
  "body part": ["anatomy"],
  color: ["color palette", "colorful"],
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
  Object.entries(SYNONYMS).flatMap(([first, others]) =>
    others.map((other) => [foldLabel(other), foldLabel(first)] as const),
  ),
);

/** A label as it is compared. */
export function normalizeLabel(label: string, fold: Fold = "synonym"): string {
  if (fold === "written") return label;
  if (fold === "case") return label.trim().replace(/\s+/g, " ").toLowerCase();
  const folded = foldLabel(label);
  return fold === "plural" ? folded : (FIRST_NAMES.get(folded) ?? folded);
}
