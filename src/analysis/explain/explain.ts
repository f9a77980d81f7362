import { meanOfEachHead } from "../../corpus/means.ts";
import type { Search } from "../../corpus/search.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { DecodeOptions } from "../../image/decode-options.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { type Decomposition, SUM_TOLERANCE } from "../../model/decomposition.ts";
import { truncatedIn } from "../../model/notices.ts";
import { type ImagePixels, pixelsOf } from "../../model/pixels.ts";
import { unitProbe } from "../../model/probe.ts";
import type { Replacement } from "../../results/accuracy.ts";
import { type ExplainResult, type Explanation, explainResult } from "../../results/explain.ts";
import { type ImageOrigin, originOf } from "../../results/origin.ts";
import { componentsOf } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { withoutHeads } from "../ablation/without-heads.ts";
import { readComponents } from "../read.ts";
import { averageOf, comparedTexts } from "./compared.ts";

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

/** What an image's scores are held against. */
export interface ComparedWith {
  /** One of the texts: the others' scores are told less its own (`compared`). */
  readonly against?: string;
  /** Whether the average picture of the index is taken off (`compared`). */
  readonly lessAverage?: boolean;
  /** Heads without whose direct effects every text is scored too, beside as many random ones (`ablated`). */
  readonly ablate?: NamedSet;
  /** What takes their place. Default: `mean`, over the index. */
  readonly replacement?: Replacement;
  /** Whose average picture is meant, as `openIndex` gives it. */
  readonly index?: Search<ShardedIndex>;
}

/** How an image is explained. */
export interface ExplainOptions extends WorkOptions, DecodeOptions, ComparedWith {
  /** How the result names the image; by default by its path. */
  readonly image?: Partial<ImageOrigin>;
}

/**
 * Explains an image's scores for some texts.
 * @param source path, or the bytes of an image file
 * @throws `TEXTS_EMPTY`; `USAGE` where an index is needed, or a text to hold others against is none of them; `HEADS_INVALID` for MLP
 *   terms to be taken out; what decoding an image and loading a tokenizer throw
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

/** {@link explainImage} of an image that is read already. @throws as that */
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
  const explained = explain(model, decomposition, texts, embeddings);
  return explainResult(await originOf({ model, image: named }), {
    ...{ sumError: decomposition.error[0], texts: explained },
    ...(await comparisons(model, decomposition, explained, embeddings, options)),
    ...(await truncatedIn(model, texts)),
  });
}

/** {@link explainImage} of an image and texts that are encoded already, held against nothing. */
export async function explainSeen(
  model: ClipModel,
  { image, decomposition }: { readonly image: ImageOrigin; readonly decomposition: Decomposition },
  texts: readonly string[],
  embeddings: Float32Array,
): Promise<ExplainResult> {
  return explainResult(await originOf({ model, image }), {
    ...{ sumError: decomposition.error[0], texts: explain(model, decomposition, texts, embeddings) },
    ...(await truncatedIn(model, texts)),
  });
}

/** What scores are held against, where that is asked for. */
async function comparisons(
  model: ClipModel,
  decomposition: Decomposition,
  explained: readonly Explanation[],
  embeddings: Float32Array,
  { against, lessAverage = false, ablate, replacement = "mean", index }: ComparedWith,
): Promise<Pick<ExplainResult, "compared" | "ablated">> {
  const texts = explained.map(({ text }) => text);
  if (against !== undefined && !texts.includes(against)) {
    throw new ClipInterpretError(
      "USAGE",
      `“${against}” is none of the texts that others are held against it with`,
    );
  }
  const needed = (why: string): Search<ShardedIndex> => {
    if (index) return index;
    throw new ClipInterpretError("USAGE", `${why} needs an index`);
  };
  const { embedDim } = model.geometry;
  const probes = texts.map((_, i) => unitProbe(embeddings.subarray(i * embedDim, (i + 1) * embedDim)));
  const indexOf = async (search: Search<ShardedIndex>) => (await originOf({ index: search.index })).index;
  const over = lessAverage ? needed("the average picture") : undefined;
  const average = over && (await averageOf(model, over, texts, probes));
  const compared = (against !== undefined || over !== undefined) && {
    ...{ against: against ?? null, less: over ? await indexOf(over) : null },
    texts: comparedTexts(explained, against, average),
  };
  const means = ablate && replacement === "mean" ? needed("the average of heads") : undefined;
  const ablated = ablate && {
    components: componentsOf(ablate.name, ablate.set, model.geometry),
    ...{ replacement, over: means ? await indexOf(means) : null },
    texts: withoutHeads(model, decomposition, probes, ablate.set, {
      means: means && (await meanOfEachHead(means.index, model.geometry)),
    }).map((one, i) => ({ text: texts[i], ...one })),
  };
  return { ...(compared && { compared }), ...(ablated && { ablated }) };
}
