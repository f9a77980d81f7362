import type { WordPart, WordsResult } from "../../results/words.ts";
import { largestOf } from "../kit/panel.ts";
import { decimalsFor, formatCosine, formatError, formatSigned } from "../kit/text.ts";

/** The end of every map's colours: the largest patch of any word. */
export const limitOf = ({ words }: WordsResult): number => largestOf(words.flatMap(({ map }) => map.flat()));

/** Decimals that the numbers of a result are written with. */
export const decimalsOf = ({ words, rest }: WordsResult): number =>
  decimalsFor(largestOf([...words, ...rest].map(({ value }) => value)));

/** What the picture shows, in two sentences. */
export function sumInWords(result: WordsResult): string {
  const { wordsByPatches, remainder, sum, similarity, error } = result;
  const words = `Words and patches add ${formatSigned(wordsByPatches, 4)}; what has no word or no patch adds ${formatSigned(remainder, 4)}.`;
  return `${words} Together ${formatCosine(sum)}; the cosine computed directly is ${formatCosine(similarity)} (off by ${formatError(error)}).`;
}

/** How a word's share is made up. */
export function wordInWords(result: WordsResult, { value, shares }: WordPart): string {
  const decimals = decimalsOf(result);
  const parts = shares.map((share, i) => `${result.image[i]} ${formatSigned(share, decimals)}`);
  return `${formatSigned(value, decimals)}: ${parts.join(", ")}`;
}

/** The heads that were read, where they are not all. */
export function setsInWords({ components, textComponents }: WordsResult): string {
  const [image, text] = [components.set, textComponents.set];
  if (image === "all" && text === "all") return "every head of both towers";
  return `${image === "all" ? "every image head" : `image heads ${image}`} and ${text === "all" ? "every text head" : `text heads ${text}`}`;
}

/** Rows of the whole sum: every part of the text by every part of the image. */
export const ledgerOf = ({ words, rest }: WordsResult): readonly Omit<WordPart, "map" | "pieces">[] => [
  ...words,
  ...rest,
];
