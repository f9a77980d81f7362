/* How neighbours are scored. Plain, since the app asks it too. */

/**
 * What a score says: the dot product (the paper's), a cosine, deviations above the mean of all images, or a cosine from
 * that mean, of a query image head by head.
 */
export const SCORINGS = ["centred", "dot", "cosine", "z"] as const;
export type Scoring = (typeof SCORINGS)[number];

/** The scoring where none is asked for: what a set adds to the cosine of a text; from the mean for an image. */
export const defaultScoring = (query: "image" | "text"): Scoring => (query === "text" ? "dot" : "centred");
