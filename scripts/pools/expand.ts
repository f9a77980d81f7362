import type { PoolText } from "../../src/text/pool.ts";

/** Words that speak of one property, with templates into which every one of them fits. */
export interface Family {
  readonly property: string;
  readonly words: readonly string[];
  /** `{}` is the word as it is, `{a}` the word with its article. */
  readonly templates: readonly string[];
  /** How many of the templates each word goes into; they are taken in turn. Default: 1. */
  readonly each?: number;
}

/** Words between commas or at the ends of lines. */
export const list = (words: string): string[] =>
  words
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** Words that begin with a vowel but are spoken without one, or the reverse. */
const SPOKEN_WITH_CONSONANT = /^(uni(?!mp|nt)|use|usa|ut[ei]|uk|euro|eucal|ewe|one\b|once)/i;
const SPOKEN_WITH_VOWEL = /^(hour|honest|heir|[8]|1[18]\b|x-|mri\b|[FHLMNRSX]\b)/i;

/**
 * "a dog", "an hour". A word that begins with `~` has no article: "rice", "scissors". `an` is written where the word is
 * spoken with a vowel.
 */
export function withArticle(word: string): string {
  if (word.startsWith("~")) return word.slice(1);
  const vowel = SPOKEN_WITH_VOWEL.test(word) || (/^[aeiou]/i.test(word) && !SPOKEN_WITH_CONSONANT.test(word));
  return `${vowel ? "an" : "a"} ${word}`;
}

/** Every word of every family in its templates, in order. */
export function expand(families: readonly Family[]): PoolText[] {
  return families.flatMap(({ property, words, templates, each = 1 }) =>
    words.flatMap((word, i) =>
      Array.from({ length: each }, (_, k) => ({
        text: templates[(i * each + k) % templates.length]
          .replace("{a}", withArticle(word))
          .replace("{}", word.replace(/^~/, "")),
        property,
      })),
    ),
  );
}
