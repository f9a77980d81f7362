import { addScaled, norm } from "../math/linear.ts";
import type { ComponentSet } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import type { HeadGeometry } from "./geometry.ts";
import { headContribution } from "./head-space.ts";

/*
 * A probe is a direction v in the joint space, [D] in float64. Anything that can be turned into one can be asked
 * of any component set.
 */

/** A text's probe: its embedding over its length (the score of all components is then the cosine). */
export function textProbe(embedding: ArrayLike<number>): Float64Array {
  const length = norm(embedding);
  return Float64Array.from(embedding, (value) => value / length);
}

/** A contrast: t1 − t2, or t1 − the mean of several others. */
export function contrastProbe(target: Float64Array, others: readonly Float64Array[]): Float64Array {
  return target.map((value, d) => value - others.reduce((sum, other) => sum + other[d], 0) / others.length);
}

/**
 * An image's probe through some components: v = Σ w·contribution, so that reading another image through the same
 * set counts cross-head terms, as the original application does (mean over heads on both sides, then the product).
 */
export function imageProbe(
  geometry: HeadGeometry,
  decomposition: Decomposition,
  set: ComponentSet,
  image = 0,
): Float64Array {
  const { layers, embedDim } = geometry;
  const v = new Float64Array(embedDim);
  for (const { layer, head, weight } of set.heads) {
    addScaled(v, weight, headContribution(geometry, decomposition, layer, head, image));
  }
  for (const { index, weight } of set.mlps) {
    addScaled(v, weight, decomposition.mlps, (image * (layers + 1) + index) * embedDim);
  }
  return v;
}
