/** Where chosen layers look and what they read there, for b images: the pieces of z = Σ_i A[cls,i]·V_i. */
export interface TokenTerms {
  /** N: patches in reading order after the CLS token. */
  readonly tokens: number;
  readonly layers: ReadonlyMap<number, LayerTokens>;
}

/** One layer's attention from CLS, [b, H, N], and values, [b, N, H, d_h]. */
export interface LayerTokens {
  readonly attention: Float32Array;
  readonly values: Float32Array;
}
