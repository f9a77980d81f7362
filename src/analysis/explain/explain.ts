import type { DecodeOptions } from "../../image/decode.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type Decomposition, SUM_TOLERANCE } from "../../model/decomposition.ts";
import { truncatedIn } from "../../model/notices.ts";
import { type ImagePixels, pixelsOf } from "../../model/pixels.ts";
import { unitProbe } from "../../model/probe.ts";
import { type ExplainResult, type Explanation, explainResult } from "../../results/explain.ts";
import { type ImageOrigin, originOf } from "../../results/origin.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { readComponents } from "../read.ts";

/**
 * "Why this score?": the text is the probe, every component reads it alone, along components.
 * The decomposition is that of "Interpreting CLIP's Image Representation via Text-Based Decomposition", §3.
 *
 * @param textEmbeddings raw, [t, D]
 * @param image which image of the batch
 * @throws `SUM_MISMATCH` when the parts miss the cosine
 */
export function explain(
  model: Pick<ClipModel, "geometry">,
  decomposition: Decomposition,
  texts: readonly string[],
  textEmbeddings: Float32Array,
  image = 0,
): Explanation[] {
  const { embedDim } = model.geometry;
  return texts.map((text, index) => {
    const v = unitProbe(textEmbeddings.subarray(index * embedDim, (index + 1) * embedDim));
    const scores = readComponents(model, decomposition, v, image);
    const similarity = dot(decomposition.embedding, v, image * embedDim) / decomposition.norm[image];
    const error = Math.abs(scores.sum - similarity);
    if (!(error <= SUM_TOLERANCE)) {
      throw new ClipInterpretError(
        "SUM_MISMATCH",
        `the parts sum to ${scores.sum}, the cosine is ${similarity}: ${error.toExponential(1)} apart`,
      );
    }
    return { text, similarity, ...scores, error };
  });
}

/** How an image is explained. */
export interface ExplainOptions extends WorkOptions, DecodeOptions {
  /** How the result names the image; by default by its path. */
  readonly image?: Partial<ImageOrigin>;
}

/**
 * Explains an image's scores for some texts.
 * @param source path, or the bytes of an image file
 * @throws `TEXTS_EMPTY`, and what decoding an image and loading a tokenizer throw
 * @example
 * ```ts
 * import { explainImage, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const { texts } = await explainImage(model, scene, ["a monkey", "a palm tree"]);
 * for (const { text, similarity, sum } of texts) console.log(text, similarity.toFixed(4), sum.toFixed(4));
 * // → a monkey 0.2085 0.2085
 * // → a palm tree -0.1049 -0.1049
 * ```
 */
export async function explainImage(
  model: ClipModel,
  source: string | Uint8Array,
  texts: readonly string[],
  options: ExplainOptions = {},
): Promise<ExplainResult> {
  const image = { name: typeof source === "string" ? source : "an image", ...options.image };
  return explainPixels(model, await pixelsOf(model, source, options), texts, { ...options, image });
}

/** {@link explainImage} of an image that is read already. @throws `TEXTS_EMPTY` */
export async function explainPixels(
  model: ClipModel,
  { pixels, shown }: ImagePixels,
  texts: readonly string[],
  { image, ...options }: ExplainOptions = {},
): Promise<ExplainResult> {
  if (texts.length === 0)
    throw new ClipInterpretError("TEXTS_EMPTY", "there is no text to explain the image by");
  const decomposition = await model.decompose(pixels);
  const embeddings = await model.encodeTexts(texts, options);
  const named = { name: "an image", label: null, sha256: shown.sha256, ...image };
  return explainResult(await originOf({ model, image: named }), {
    sumError: decomposition.error[0],
    texts: explain(model, decomposition, texts, embeddings),
    ...(await truncatedIn(model, texts)),
  });
}
