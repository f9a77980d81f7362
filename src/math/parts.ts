/** A score by its parts. */
export interface Parts {
  /** [L·H] */
  readonly heads: readonly number[];
  /** `embed`, then each layer's MLP; null where only heads are known. */
  readonly mlps: readonly number[] | null;
  /** Of all parts, heads and MLPs. */
  readonly sum: number;
  /** Computed directly, not from parts. */
  readonly score: number;
}

/** What of a score another has not. */
export const lessParts = (one: Parts, other: Parts): Parts => ({
  heads: one.heads.map((value, i) => value - other.heads[i]),
  mlps: one.mlps && other.mlps ? one.mlps.map((value, i) => value - other.mlps![i]) : null,
  sum: one.sum - other.sum,
  score: one.score - other.score,
});
