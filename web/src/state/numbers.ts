import { lessParts, type Parts } from "../../../src/math/parts.ts";
import type { ExplainResult, Means } from "./api.ts";

/** What a matrix shows, and what it adds up to. */
export type Numbers = Parts;

type Scored = ExplainResult["texts"][number];
type Averaged = Means["texts"][number];

const plain = ({ heads, mlps, sum, similarity }: Scored): Numbers => ({
  heads: heads.map(({ value }) => value),
  mlps: mlps.map(({ value }) => value),
  sum,
  score: similarity,
});
const average = ({ heads, similarity }: Averaged): Numbers => ({
  heads: heads.map(({ value }) => value),
  mlps: null,
  sum: similarity,
  score: similarity,
});

/**
 * A text's score by parts, less what it is held against: another text, the corpus's average picture, or both.
 * Undefined while one of them is not known.
 */
export function numbersOf(
  text: string | undefined,
  against: string | null,
  explained: ExplainResult | undefined,
  means: Means | undefined | null,
): Numbers | undefined {
  const of = (wanted: string | undefined | null): Numbers | undefined => {
    const one = explained?.texts.find((found) => found.text === wanted);
    if (!one || means === null) return one && plain(one);
    const mean = means?.texts.find((found) => found.text === wanted);
    return mean && lessParts(plain(one), average(mean));
  };
  const [own, other] = [of(text), against === null ? undefined : of(against)];
  if (!own || (against !== null && !other)) return undefined;
  return other ? lessParts(own, other) : own;
}
