import type { ComponentSet } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import { type HeadGeometry, headMatrix } from "./geometry.ts";

/*
 * A probe is a direction v in the joint space, [D] in float64. Anything that can be turned into one can be asked
 * of any component set.
 */

/** A text's probe: its embedding over its length (the score of all components is then the cosine). */
export function textProbe(embedding: ArrayLike<number>): Float64Array {
  let squares = 0;
  for (let d = 0; d < embedding.length; d++) squares += embedding[d] ** 2;
  const norm = Math.sqrt(squares);
  return Float64Array.from(embedding, (value) => value / norm);
}

/**
 * A contrast: t1 − t2, or t1 − the mean of several others.
 *
 * @example
 * ```ts
 * import { contrastProbe, decomposeImage, openModel, readComponents, textProbe } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const [red, gray] = [await textProbe(model, "a red backdrop"), await textProbe(model, "a gray backdrop")];
 * const scene = await decomposeImage(model, "examples/scenes/images/0049-snowboarder.png");
 * const { heads } = readComponents(model, scene, contrastProbe(red, [gray]));
 * console.log(heads.sort((a, b) => b.value - a.value)[0].name); // → L1.H0
 * ```
 */
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
    const contribution = headContribution(geometry, decomposition, layer, head, image);
    for (let d = 0; d < embedDim; d++) v[d] += weight * contribution[d];
  }
  for (const { index, weight } of set.mlps) {
    const start = (image * (layers + 1) + index) * embedDim;
    for (let d = 0; d < embedDim; d++) v[d] += weight * decomposition.mlps[start + d];
  }
  return v;
}

/**
 * z̃_lh of one image, [d_h + 3].
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 * import { headCoordinates } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * console.log(headCoordinates(model.geometry, scene, 3, 1).length === 32 + 3); // → true
 * ```
 */
export function headCoordinates(
  { layers, heads, headDim }: HeadGeometry,
  { z, mu, sigma, norm }: Decomposition,
  layer: number,
  head: number,
  image = 0,
): Float64Array {
  const start = ((image * layers + layer) * heads + head) * headDim;
  const scale = sigma[image] * norm[image];
  const coordinates = new Float64Array(headDim + 3);
  for (let i = 0; i < headDim; i++) coordinates[i] = z[start + i] / scale;
  coordinates.set([1 / scale, mu[image] / scale, 1 / norm[image]], headDim);
  return coordinates;
}

/**
 * head(l,h) = z̃·M̃, dense: [D].
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 * import { headContribution } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const written = headContribution(model.geometry, scene, 1, 0);
 * console.log(written.length, Math.hypot(...written).toFixed(4)); // → 128 0.1562
 * ```
 */
export function headContribution(
  geometry: HeadGeometry,
  decomposition: Decomposition,
  layer: number,
  head: number,
  image = 0,
): Float64Array {
  const coordinates = headCoordinates(geometry, decomposition, layer, head, image);
  const matrix = headMatrix(geometry, layer, head);
  const { embedDim } = geometry;
  const contribution = new Float64Array(embedDim);
  for (let row = 0; row < coordinates.length; row++) {
    for (let d = 0; d < embedDim; d++) contribution[d] += coordinates[row] * matrix[row * embedDim + d];
  }
  return contribution;
}
