import { normalizeLabel } from "./normalize-label.ts";

/**
 * A label as it is compared with a tag or another label: without case and plural, spaces and hyphens, in American
 * spelling. `Body parts` and `Bodyparts`, `Activities` and `activity`, `Colour` and `colors` are one.
 */
export const foldLabel = (label: string): string =>
  normalizeLabel(wordsOf(label).join(" "), "plural").replaceAll(" ", "").replaceAll("colour", "color");

/** The words of a label in lower case, without what separates them. */
export const wordsOf = (label: string): string[] =>
  label
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
