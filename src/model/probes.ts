import type { WorkOptions } from "../support/progress.ts";
import type { ClipModel } from "./clip-model.ts";
import type { ComponentSet } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import { imageProbe as componentsProbe, textProbe as unitProbe } from "./probe.ts";

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
 * An image's probe: what some components wrote into it, Σ w·contribution. Other images are then read by how alike those
 * components see them ("Quantifying and Enabling the Interpretability of CLIP-like Models", §5).
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
export const imageProbe = (
  model: Pick<ClipModel, "geometry">,
  decomposition: Decomposition,
  set: ComponentSet,
  image = 0,
): Float64Array => componentsProbe(model.geometry, decomposition, set, image);
