/** Where chosen layers look and what they read there, for b images: the pieces of z = Σ_i a_i·V_i. */
export interface TokenTerms {
  /** N: patches in reading order, after the CLS token where there is one. */
  readonly tokens: number;
  /** Tokens before the patches: 1 with a CLS token, else 0. */
  readonly prefix: 0 | 1;
  /** How many patches there are behind the prefix; a register may follow. */
  readonly patches: number;
  readonly layers: ReadonlyMap<number, LayerTokens>;
}

/**
 * One layer's attention, pooled as tokens are (from CLS, where CLS is read), [b, H, N], and values, [b, N, H, d_h]. A model that
 * pools by attention has one such row a head of its pool: [b, H, P, N].
 */
export interface LayerTokens {
  readonly attention: Float32Array;
  readonly values: Float32Array;
}
