import type { DecodeOptions } from "../../image/decode.ts";
import { normalize, type Preprocessed, preprocess } from "../../image/preprocess.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { mlpName } from "../../model/components.ts";
import type { Decomposition } from "../../model/decomposition.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { prepareProbe, scoreComponents } from "../../model/kernel.ts";
import { textProbe } from "../../model/probe.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";

/** Why an image scores as it does for one text: every component's exact share. */
export interface Explanation {
  readonly text: string;
  /** Cosine of the image's and the text's embeddings, computed from the embeddings themselves. */
  readonly similarity: number;
  /** Every head, layer by layer. */
  readonly heads: readonly { readonly layer: number; readonly head: number; readonly value: number }[];
  /** `embed` and every layer's MLP. */
  readonly mlps: readonly { readonly component: string; readonly value: number }[];
  /** Σ heads + Σ MLP terms. */
  readonly sum: number;
  /** |sum − similarity|: the self-check. */
  readonly error: number;
}

/**
 * "Why this score?": the text is the probe, every component reads it alone, along components.
 * The decomposition is that of "Interpreting CLIP's Image Representation via Text-Based Decomposition", §3.
 *
 * @param textEmbeddings raw, [t, D]
 * @param image which image of the batch
 */
export function explain(
  geometry: HeadGeometry,
  decomposition: Decomposition,
  texts: readonly string[],
  textEmbeddings: Float32Array,
  image = 0,
): Explanation[] {
  const { heads: headCount, embedDim } = geometry;
  return texts.map((text, index) => {
    const v = textProbe(textEmbeddings.subarray(index * embedDim, (index + 1) * embedDim));
    const scores = scoreComponents(geometry, prepareProbe(geometry, v), decomposition, image);
    let similarity = 0;
    for (let d = 0; d < embedDim; d++) similarity += decomposition.embedding[image * embedDim + d] * v[d];
    similarity /= decomposition.norm[image];
    const sum = [...scores.heads, ...scores.mlps].reduce((total, value) => total + value, 0);
    return {
      text,
      similarity,
      heads: Array.from(scores.heads, (value, i) => ({
        layer: Math.floor(i / headCount),
        head: i % headCount,
        value,
      })),
      mlps: Array.from(scores.mlps, (value, i) => ({ component: mlpName(i), value })),
      sum,
      error: Math.abs(sum - similarity),
    };
  });
}

/** One image's explanations, and the image as the model saw it. */
export interface ImageExplanation {
  readonly texts: readonly Explanation[];
  readonly shown: Preprocessed;
  /** The decomposition's self-check over the whole embedding, relative. */
  readonly sumError: number;
}

/**
 * Explains an image file's scores for some texts.
 * @throws `TEXTS_EMPTY`, and what decoding an image and loading a tokenizer throw
 */
export async function explainImage(
  model: ClipModel,
  source: string | Uint8Array,
  texts: readonly string[],
  options: WorkOptions & DecodeOptions = {},
): Promise<ImageExplanation> {
  if (texts.length === 0)
    throw new ClipInterpretError("TEXTS_EMPTY", "there is no text to explain the image by");
  const shown = await preprocess(source, model.config.preprocess, options);
  const pixels = new Float32Array(shown.rgb.length);
  normalize(shown.rgb, model.config.preprocess, pixels);
  const decomposition = await model.decompose(pixels);
  const embeddings = await model.encodeTexts(texts, options);
  return {
    texts: explain(model.geometry, decomposition, texts, embeddings),
    shown,
    sumError: decomposition.error[0],
  };
}
