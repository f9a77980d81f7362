/**
 * A label as it is compared with others: without case, spaces and hyphens, its last word in the singular, in American
 * spelling. `Body parts` and `Bodyparts`, `Activities` and `activity`, `Colour` and `colors` are one.
 */
export function foldLabel(label: string): string {
  const words = wordsOf(label);
  const last = words.pop() ?? "";
  return [...words, singular(last)].join("").replaceAll("colour", "color");
}

/** The words of a label in lower case, without what separates them. */
export const wordsOf = (label: string): string[] =>
  label
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");

/** English plurals by rule; words such as `texture` and `glass` stay what they are. */
function singular(word: string): string {
  if (word.length < 4 || /(ss|us|is)$/.test(word)) return word;
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, "y");
  if (/(x|ch|sh|ss|zz)es$/.test(word)) return word.slice(0, -2);
  return word.replace(/s$/, "");
}
