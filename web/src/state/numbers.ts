import type { ExplainResult, Means } from "./api.ts";

/** What a matrix shows, and what it adds up to. */
export interface Numbers {
  /** [L·H] */
  readonly heads: readonly number[];
  /** `embed`, then each layer's MLP; null where only heads are known. */
  readonly mlps: readonly number[] | null;
  /** Of all parts, heads and MLPs. */
  readonly sum: number;
  /** Computed directly, not from parts. */
  readonly score: number;
}

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
const less = (one: Numbers, other: Numbers): Numbers => ({
  heads: one.heads.map((value, i) => value - other.heads[i]),
  mlps: one.mlps && other.mlps ? one.mlps.map((value, i) => value - other.mlps![i]) : null,
  sum: one.sum - other.sum,
  score: one.score - other.score,
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
    return mean && less(plain(one), average(mean));
  };
  const [own, other] = [of(text), against === null ? undefined : of(against)];
  if (!own || (against !== null && !other)) return undefined;
  return other ? less(own, other) : own;
}
