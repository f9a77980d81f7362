import { addScaled, norm } from "../math/linear.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { ClipModel } from "./clip-model.ts";
import { type ComponentSet, mlpCount } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import { headContribution } from "./head-space.ts";

/*
 * A probe is a direction v in the joint space, [D] in float64. Anything that can be turned into one can be asked
 * of any component set.
 */

/**
 * An embedding over its length (the score of all components is then the cosine).
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { unitProbe } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const [a, b] = [unitProbe(await model.encodeTexts(["a cat"])), unitProbe(await model.encodeTexts(["a dog"]))];
 * console.log(a.reduce((sum, value, d) => sum + value * b[d], 0).toFixed(4)); // → 0.7365
 * ```
 */
export function unitProbe(embedding: ArrayLike<number>): Float64Array {
  const length = norm(embedding);
  return Float64Array.from(embedding, (value) => value / length);
}

/**
 * A text's probe: its embedding at length 1. Read by all components it gives the cosine of image and text.
 *
 * @returns [D]
 * @throws `TOKENIZER_INVALID`, `INPUT_NOT_FOUND` for a model without a tokenizer
 * @example
 * ```ts
 * import { openModel, textProbe } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const monkey = await textProbe(model, "a monkey");
 * console.log(monkey.length, Math.hypot(...monkey).toFixed(3)); // → 128 1.000
 * ```
 */
export const textProbe = async (
  model: Pick<ClipModel, "encodeTexts">,
  text: string,
  options?: WorkOptions,
): Promise<Float64Array> => unitProbe(await model.encodeTexts([text], options));

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
 * An image's probe: what some components wrote into it, Σ w·contribution. Other images are then read by how alike those
 * components see them. Read through the same set it counts cross-head
 * terms, as the original application does: mean over heads on both sides, then the product ("Quantifying and Enabling the Interpretability of CLIP-like Models", §5).
 *
 * @param image which image of a batch
 * @returns [D]
 * @example
 * ```ts
 * import { decomposeImage, imageProbe, openModel, parseHeads, readComponents } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const [monkey, other] = await Promise.all(
 *   ["0067-monkey", "0049-snowboarder"].map((name) => decomposeImage(model, `examples/scenes/images/${name}.png`)),
 * );
 * const backdrop = imageProbe(model, monkey, parseHeads(model, "L1.H0"));
 * for (const scene of [monkey, other]) console.log(readComponents(model, scene, backdrop).heads[4].value.toFixed(4));
 * // → 0.0244
 * // → -0.0061
 * ```
 */
export function imageProbe(
  { geometry }: Pick<ClipModel, "geometry">,
  decomposition: Decomposition,
  set: ComponentSet,
  image = 0,
): Float64Array {
  const { embedDim } = geometry;
  const others = mlpCount(geometry);
  const v = new Float64Array(embedDim);
  for (const { layer, head, weight } of set.heads) {
    addScaled(v, weight, headContribution(geometry, decomposition, layer, head, image));
  }
  for (const { index, weight } of set.mlps) {
    addScaled(v, weight, decomposition.mlps, (image * others + index) * embedDim);
  }
  return v;
}
