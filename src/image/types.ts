import type { Interpolation } from "./resample.ts";

/** What becomes of a picture's sides. */
export const RESIZE_MODES = ["shortest", "longest", "squash", "none"] as const;

/** How a model wants its input, from its config: the size of the square, resizing and normalisation. */
export interface PreprocessConfig {
  /** Side of the square the model reads, in pixels. */
  readonly size: number;
  /**
   * `shortest`: the shorter side becomes `resizeTo`; `longest`: the longer side; `squash`: both sides; `none`: no side
   * changes. Then the square is cut from the centre; where the picture ends before it, `fill` goes on.
   */
  readonly resizeMode: (typeof RESIZE_MODES)[number];
  /** The length that sides are brought to, in pixels. Default: `size`. */
  readonly resizeTo?: number;
  /** The filter. Default: `bicubic`. */
  readonly interpolation?: Interpolation;
  /** Gray level of what lies beside the picture, 0–255. Default: 0. */
  readonly fill?: number;
  /**
   * Whose order of steps. `open_clip`, the default, resizes in the picture's own mode, then makes it RGB, and rounds
   * the crop's margin to the nearest even pixel; `transformers` makes it RGB first and rounds the margin down.
   */
  readonly order?: "open_clip" | "transformers";
  /** Channel means and standard deviations in 0–1 units, RGB. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}
