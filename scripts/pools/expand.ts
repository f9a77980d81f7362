import type { PoolText } from "../../src/text/pool.ts";

/** Words that speak of one property, with templates into which every one of them fits. */
export interface Family {
  readonly property: string;
  readonly words: readonly string[];
  /** `{}` is the word as it is, `{a}` the word with its article. */
  readonly templates: readonly string[];
  /** How many of the templates each word goes into; they are taken in turn. */
  readonly each: number;
}

/** Words of these pools that are spoken with another first sound than they are written with. */
const SPOKEN_WITH_CONSONANT = /^(uni[cfv]|euro|ukulele)/i;
const SPOKEN_WITH_VOWEL = /^(hour|X-ray|MRI)/;

/** "a dog", "an hour". A word that begins with `~` has no article: "flames", "sunglasses". */
function withArticle(word: string): string {
  if (word.startsWith("~")) return word.slice(1);
  const vowel = SPOKEN_WITH_VOWEL.test(word) || (/^[aeiou]/i.test(word) && !SPOKEN_WITH_CONSONANT.test(word));
  return `${vowel ? "an" : "a"} ${word}`;
}

/** A template with a word in it. */
export const fill = (template: string, word: string): string =>
  template.replace("{a}", withArticle(word)).replace("{}", word.replace(/^~/, ""));

/** Every word of every family in its templates, in order. */
export function expand(families: readonly Family[]): PoolText[] {
  return families.flatMap(({ property, words, templates, each }) =>
    words.flatMap((word, i) =>
      Array.from({ length: each }, (_, k) => ({
        text: fill(templates[(i * each + k) % templates.length], word),
        property,
      })),
    ),
  );
}
