/**
 * "Which word looks where?" Both embeddings are exact sums: the text's over its words, the image's over its patches ("Interpreting
 * CLIP's Image Representation via Text-Based Decomposition", §3, for both towers). So their cosine is a sum over pairs,
 *
 *     cos = Σ_words Σ_patches ⟨t_w, e_p⟩ + what has no word or no patch
 *
 * and each word is a probe that the image is read with. Nothing is approximated and nothing needs a gradient.
 */
import type { DecodeOptions } from "../../image/decode-options.ts";
import { addScaled, dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import {
  allHeads,
  type ComponentSet,
  componentNames,
  headName,
  textHeadName,
} from "../../model/components.ts";
import { type DecomposedText, decomposeText } from "../../model/decompose-text.ts";
import { type Decomposition, SUM_TOLERANCE } from "../../model/decomposition.ts";
import { denseHeads, denseTokens } from "../../model/dense.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { type PreparedProbe, prepareProbes } from "../../model/head-space.ts";
import { scoreComponents, scoreTokens } from "../../model/kernel.ts";
import { truncatedIn } from "../../model/notices.ts";
import { pixelsOf } from "../../model/pixels.ts";
import { unitProbe } from "../../model/probe.ts";
import { type ImageOrigin, originOf } from "../../results/origin.ts";
import { componentsOf } from "../../results/shapes.ts";
import { type WordsResult, wordsResult } from "../../results/words.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import type { TextWord, WordKind } from "../../text/words.ts";
import { layersOf, mapPlacement, type SeenImage } from "../segmentation/segmentation.ts";

/** A part of a text's unit embedding. */
export interface TextPart {
  /** Of a word or token; absent of what every token shares: MLPs, the embedding, other heads. */
  readonly word?: TextWord;
  readonly name: string;
  /** [D]: all parts of a text sum to its unit embedding. */
  readonly vector: Float64Array;
}

/** A text as the sum of its parts. */
export interface TextParts {
  readonly text: string;
  readonly parts: readonly TextPart[];
  /** [D]: the unit embedding itself. */
  readonly probe: Float64Array;
  /** How far the parts of the decomposition are from the embedding. */
  readonly error: number;
  readonly set: ComponentSet;
  /** The set as it was written. */
  readonly written: string;
  readonly decomposition: DecomposedText;
}

const TOKEN_NAMES: Readonly<Record<Exclude<WordKind, "word">, string>> = {
  start: "start token",
  end: "end token",
  padding: "padding",
  class: "class token",
};

/** How a text is read. */
export interface TextPartsOptions extends WorkOptions {
  /** Heads of the text tower through which words are read, with weights; all by default. */
  readonly textSet?: ComponentSet;
  /** The set as it was written; by default the names of its heads. */
  readonly writtenText?: string;
}

/**
 * A text's unit embedding as a sum over its words: what some heads of the text tower read of each, and named parts of what is
 * left: the tokens around words, MLPs, the embedding, the other heads.
 *
 * @throws `TEXTS_UNSUPPORTED`, `SUM_MISMATCH`; `HEADS_INVALID` for MLPs, which have no words
 */
export async function textPartsOf(
  model: ClipModel,
  text: string,
  { textSet, writtenText, ...work }: TextPartsOptions = {},
): Promise<TextParts> {
  const geometry = await model.textGeometry();
  const set = textSet ?? allHeads(geometry);
  layersOf(set);
  const decomposition = await decomposeText(model, text, work);
  const { byToken, others } = await readHeads(model, geometry, decomposition, set);
  const { embedDim, layers } = geometry;
  const parts: TextPart[] = decomposition.words.map((word) => {
    const vector = new Float64Array(embedDim);
    for (const token of word.tokens) addScaled(vector, 1, byToken[token]);
    return { word, name: word.kind === "word" ? word.text : TOKEN_NAMES[word.kind], vector };
  });
  const { mlps, embedding, error } = decomposition;
  const mlpSum = new Float64Array(embedDim);
  for (let layer = 1; layer <= layers; layer++) addScaled(mlpSum, 1, mlps, layer * embedDim);
  parts.push({ name: "MLPs", vector: mlpSum });
  parts.push({ name: "embedding", vector: Float64Array.from(mlps.subarray(0, embedDim)) });
  if (others) parts.push({ name: "other heads", vector: others });
  const names = writtenText ?? namesOfText(set);
  const probe = unitProbe(embedding);
  return { text, parts, probe, error: error[0], set, written: names, decomposition };
}

const namesOfText = (set: ComponentSet): string =>
  componentNames(set, { layers: 0 })
    .map((name) => name.replace(/^L/, "T"))
    .join();

/** What the heads of a set read of each token, [N] of [D], and what the heads outside of it wrote, if there are any. */
async function readHeads(
  { matmul }: ClipModel,
  geometry: HeadGeometry,
  decomposition: DecomposedText,
  set: ComponentSet,
): Promise<{ byToken: Float64Array[]; others: Float64Array | undefined }> {
  const { layers, heads, embedDim } = geometry;
  const weights = new Float64Array(layers * heads);
  for (const { layer, head, weight } of set.heads) weights[layer * heads + head] = weight;
  const byToken = Array.from(decomposition.ids, () => new Float64Array(embedDim));
  const others = new Float64Array(embedDim);
  for (let layer = 0; layer < layers; layer++) {
    const read = await denseTokens(matmul, geometry, decomposition, layer, 0);
    for (const [token, sum] of byToken.entries()) {
      for (let head = 0; head < heads; head++) {
        const weight = weights[layer * heads + head];
        const at = (token * heads + head) * embedDim;
        if (weight !== 0) addScaled(sum, weight, read, at);
        if (weight !== 1) addScaled(others, 1 - weight, read, at);
      }
    }
  }
  return { byToken, others: weights.every((weight) => weight === 1) ? undefined : others };
}

/** How an image is read by the words of a text. */
export interface WordsAsked {
  /** Heads of the image tower through which patches are read, with weights; all by default. */
  readonly set?: ComponentSet;
  /** The set as it was written; by default the names of its heads. */
  readonly written?: string;
  /** A patch, counted in reading order, whose words are wanted. */
  readonly patch?: number;
  /** Most pairs of heads that are listed; all of them with `Infinity`, none with 0, which is the default. */
  readonly pairs?: number;
}

/** `WordsAsked`, and how image and text are read. */
export interface ExplainWordsOptions extends WordsAsked, TextPartsOptions, DecodeOptions {
  /** How the result names the image; by default by its path. */
  readonly image?: Partial<ImageOrigin>;
}

/**
 * Which word of a text looks where in an image: the cosine as a sum over words and patches, with what is left of it named.
 *
 * @param source path, or the bytes of an image file
 * @throws `TEXTS_EMPTY`, `TEXTS_UNSUPPORTED`, `HEADS_INVALID`, `SUM_MISMATCH`, and what decoding an image
 *   throws
 * @example
 * ```ts
 * import { explainWords, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const found = await explainWords(model, scene, "a monkey on a purple background");
 * const { words, wordsByPatches, remainder, similarity } = found;
 * console.log(words[1].text, words[1].value.toFixed(3)); // → monkey 0.091
 * console.log(Math.abs(wordsByPatches + remainder - similarity) < 1e-6); // → true
 * ```
 */
export async function explainWords(
  model: ClipModel,
  source: string | Uint8Array,
  text: string,
  options: ExplainWordsOptions = {},
): Promise<WordsResult> {
  if (text.trim() === "") throw new ClipInterpretError("TEXTS_EMPTY", "there is no text to read words of");
  const parts = await textPartsOf(model, text, options);
  const { pixels, shown } = await pixelsOf(model, source, options);
  const tokenLayers = layersOf(options.set ?? allHeads(model.geometry));
  const decomposition = await model.decompose(pixels, { tokenLayers });
  const name = typeof source === "string" ? source : "an image";
  const image = { name, label: null, sha256: shown.sha256, ...options.image };
  return wordsSeen(model, { decomposition, shown, image }, parts, options);
}

/** {@link explainWords} of an image and a text that are taken apart already. */
export async function wordsSeen(
  model: ClipModel,
  { image, shown, decomposition }: SeenImage,
  text: TextParts,
  { set = allHeads(model.geometry), written, patch, pairs = 0 }: WordsAsked = {},
): Promise<WordsResult> {
  const { geometry, config } = model;
  layersOf(set);
  if (patch !== undefined && !(patch >= 0 && patch < config.vision.grid ** 2))
    throw new ClipInterpretError("USAGE", `the model has no patch ${patch}, counted from 0`);
  const weights = new Map(
    set.heads.map(({ layer, head, weight }) => [layer * geometry.heads + head, weight]),
  );
  const isWhole = [...Array(geometry.layers * geometry.heads).keys()].every((i) => weights.get(i) === 1);
  const { prefix, tokens } = decomposition.tokens;
  const { grid } = config.vision;
  const names = [
    ...["patches", ...(prefix === 1 ? ["CLS token"] : []), "MLPs", "embedding"],
    ...[...(geometry.poolMlp ? ["pool MLP"] : []), ...(isWhole ? [] : ["other heads"])],
  ];
  /** A part of the text as a probe: what it adds with each part of the image, and at each patch. */
  const readWith = (probe: PreparedProbe) => {
    const atTokens = scoreTokens(geometry, probe, decomposition, decomposition.tokens, set);
    const { heads, mlps } = scoreComponents(geometry, probe, decomposition);
    const patches = atTokens.subarray(prefix, tokens);
    const others = heads.reduce((sum, value, i) => sum + (1 - (weights.get(i) ?? 0)) * value, 0);
    const shares = [
      ...[total(patches), ...(prefix === 1 ? [atTokens[0]] : [])],
      ...[total(mlps.subarray(1, geometry.layers + 1)), mlps[0]],
      ...[...(geometry.poolMlp ? [mlps[geometry.layers + 1]] : []), ...(isWhole ? [] : [others])],
    ];
    return { patches: Array.from(patches), shares, value: total(shares) };
  };
  const probes = await prepareProbes(
    model.matmul,
    geometry,
    text.parts.map(({ vector }) => vector),
  );
  const read = text.parts.map((part, i) => ({ part, ...readWith(probes[i]) }));
  const words = read.filter(({ part }) => part.word?.kind === "word");
  const rest = read.filter((one) => !words.includes(one));
  const wordsByPatches = total(words.map(({ shares }) => shares[0]));
  const sum = total(read.map(({ value }) => value));
  const similarity = dot(decomposition.embedding, text.probe) / decomposition.norm[0];
  const error = Math.abs(sum - similarity);
  const unit = Math.max(1, ...[...set.heads, ...text.set.heads].map(({ weight }) => Math.abs(weight)));
  if (!(error <= SUM_TOLERANCE * unit ** 2)) {
    throw new ClipInterpretError(
      "SUM_MISMATCH",
      `words and patches sum to ${sum}, the cosine is ${similarity}: ${error.toExponential(1)} apart`,
    );
  }
  const textGeometry = await model.textGeometry();
  const ranked =
    pairs > 0 ? await headPairs(model, textGeometry, text.decomposition, decomposition) : undefined;
  return wordsResult(await originOf({ model, image }), {
    ...{ text: text.text, similarity },
    textComponents: {
      set: text.written,
      heads: text.set.heads.map((head) => ({ ...head, name: textHeadName(head.layer, head.head) })),
    },
    components: componentsOf(written ?? componentNames(set, geometry).join(), set, geometry),
    ...{ grid: { rows: grid, columns: grid }, original: { width: shown.width, height: shown.height } },
    placement: mapPlacement(shown.placement, config.vision),
    image: names,
    words: words.map(({ part, patches, shares, value }) => ({
      ...{ text: part.name, pieces: [...(part.word?.pieces ?? [])], shares, value },
      map: Array.from({ length: grid }, (_, row) => patches.slice(row * grid, (row + 1) * grid)),
    })),
    rest: rest.map(({ part, shares, value }) => ({ text: part.name, shares, value })),
    ...{ wordsByPatches, remainder: sum - wordsByPatches, sum, error },
    ...{ textError: text.error, imageError: decomposition.error[0] },
    ...(patch !== undefined && {
      token: {
        ...{ row: Math.floor(patch / grid), column: patch % grid },
        words: words
          .map(({ part, patches }) => ({ text: part.name, value: patches[patch] }))
          .sort((a, b) => Math.abs(b.value) - Math.abs(a.value)),
      },
    }),
    ...(ranked && { pairs: ranked.slice(0, pairs) }),
    pairCount: textGeometry.layers * textGeometry.heads * geometry.layers * geometry.heads,
    ...(await truncatedIn(model, [text.text])),
  });
}

const total = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

/** Head × head: ⟨what a head of the text tower wrote, what a head of the image tower wrote⟩, largest first by size. */
async function headPairs(
  { matmul, geometry }: ClipModel,
  textGeometry: HeadGeometry,
  text: Decomposition,
  image: Decomposition,
): Promise<{ text: string; image: string; value: number }[]> {
  const { embedDim } = geometry;
  const [rows, columns] = [textGeometry, geometry].map(({ layers, heads }) => layers * heads);
  const textHeads = await denseHeads(matmul, textGeometry, text);
  const imageHeads = await denseHeads(matmul, geometry, image);
  const transposed = new Float32Array(imageHeads.length);
  for (let at = 0; at < imageHeads.length; at++)
    transposed[(at % embedDim) * columns + Math.floor(at / embedDim)] = imageHeads[at];
  const products = await matmul(
    { data: textHeads, dims: [1, rows, embedDim] },
    { data: transposed, dims: [1, embedDim, columns] },
  );
  return Array.from(products, (value, at) => {
    const [one, other] = [Math.floor(at / columns), at % columns];
    return {
      text: textHeadName(Math.floor(one / textGeometry.heads), one % textGeometry.heads),
      image: headName(Math.floor(other / geometry.heads), other % geometry.heads),
      value,
    };
  }).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}
