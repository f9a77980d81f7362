/** How a model wants its input, from its config: the size of the square, resizing and normalisation. */
export interface PreprocessConfig {
  /** Side of the square the model reads, in pixels. */
  readonly size: number;
  /** `shortest`: the shorter side becomes `size`, then centre crop. `squash`: both sides become `size`. */
  readonly resizeMode: "shortest" | "squash";
  /** Channel means and standard deviations in 0–1 units, RGB. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}
