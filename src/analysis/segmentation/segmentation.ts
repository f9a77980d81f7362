/**
 * Where in an image some heads find a text: the decomposition read along tokens.
 *
 * - **topic segmentation**: the probe is one text; a patch's value is what the heads wrote there towards it
 *   ("Interpreting CLIP's Image Representation via Text-Based Decomposition", §4.1 over all heads; per head in
 *   CLIP-InterpreT, §5);
 * - **contrastive segmentation**: the probe of each of two or more texts is the text minus the mean of the others
 *   (CLIP-InterpreT, §5, has two texts).
 *
 * The patches and the CLS token add up to the score of the heads: Σ_i token(l,h,i) = head(l,h), summed over the set. As
 * in the reference implementation the CLS token is no part of the map; its share stands beside it.
 */

import type { DecodeOptions } from "../../image/decode.ts";
import { normalize, type Preprocessed, preprocess, type Rectangle } from "../../image/preprocess.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet, WeightedHead } from "../../model/components.ts";
import type { TokenDecomposition } from "../../model/decompose.ts";
import { SUM_TOLERANCE } from "../../model/decomposition.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { prepareProbe } from "../../model/head-space.ts";
import { scoreImages, scoreTokens } from "../../model/kernel.ts";
import { contrastProbe, textProbe } from "../../model/probe.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { type BaselineMap, baselineMaps } from "./baselines.ts";

/** What each token brought to the score of some heads. */
export interface TokenMap {
  /** [N − 1]: the patches in reading order. */
  readonly values: Float64Array;
  /** Σ values. */
  readonly patches: number;
  /** The CLS token's own share. */
  readonly cls: number;
  /** patches + cls. */
  readonly sum: number;
  /** The heads' score, computed from their outputs rather than from tokens. */
  readonly score: number;
  /** |sum − score|: the self-check. */
  readonly error: number;
}

/**
 * The map of one probe through some heads.
 * @param decomposition with the token terms of every layer of the set
 * @throws `HEADS_INVALID` for MLP terms, which have no tokens; `SUM_MISMATCH` when the tokens miss the score
 */
export function tokenMap(
  geometry: HeadGeometry,
  decomposition: TokenDecomposition,
  probe: Float64Array,
  set: ComponentSet,
  image = 0,
): TokenMap {
  requireHeads(set);
  const prepared = prepareProbe(geometry, probe);
  const scores = scoreTokens(geometry, prepared, decomposition, decomposition.tokens, set, image);
  const values = scores.slice(1);
  const patches = values.reduce((sum, value) => sum + value, 0);
  const [cls, score] = [scores[0], scoreImages(geometry, prepared, decomposition, set)[image]];
  const sum = patches + cls;
  const error = Math.abs(sum - score);
  const unit = set.heads.reduce((largest, { weight }) => Math.max(largest, Math.abs(weight)), 1);
  if (!(error <= SUM_TOLERANCE * unit)) {
    throw new ClipInterpretError(
      "SUM_MISMATCH",
      `the tokens sum to ${sum}, the heads' score is ${score}: ${error.toExponential(1)} apart`,
    );
  }
  return { values, patches, cls, sum, score, error };
}

/** The probes of a contrast: each text minus the mean of the others. */
export const contrastProbes = (texts: readonly Float64Array[]): Float64Array[] =>
  texts.map((text, i) =>
    contrastProbe(
      text,
      texts.filter((_, j) => j !== i),
    ),
  );

/** Which of several maps is highest at each patch. */
export interface Winners {
  /** [N − 1]: index of the highest; the first of equals. */
  readonly winner: Int32Array;
  /** [N − 1]: by how much it is above the next, in the maps' unit. */
  readonly margin: Float64Array;
  /** How many patches each text wins. */
  readonly counts: readonly number[];
}

/** The winner map of two or more texts: patch by patch the text whose own map (not its contrast) is highest. */
export function winnersOf(maps: readonly ArrayLike<number>[]): Winners {
  const { length } = maps[0];
  const winner = new Int32Array(length);
  const margin = new Float64Array(length);
  const counts = maps.map(() => 0);
  for (let i = 0; i < length; i++) {
    let [first, best, next] = [0, maps[0][i], -Infinity];
    for (let m = 1; m < maps.length; m++) {
      const value = maps[m][i];
      if (value > best) [first, best, next] = [m, value, best];
      else next = Math.max(next, value);
    }
    winner[i] = first;
    margin[i] = best - next;
    counts[first]++;
  }
  return { winner, margin, counts };
}

/** What each head of a set wrote at one token, largest first by size. They add up to the token's value in the map. */
export function tokenHeads(
  geometry: HeadGeometry,
  decomposition: TokenDecomposition,
  probe: Float64Array,
  set: ComponentSet,
  token: number,
  image = 0,
): { layer: number; head: number; value: number }[] {
  const prepared = prepareProbe(geometry, probe);
  const { tokens } = decomposition;
  const atToken = (head: WeightedHead) =>
    scoreTokens(geometry, prepared, decomposition, tokens, { heads: [head], mlps: [] }, image)[token];
  return set.heads
    .map((weighted) => ({ layer: weighted.layer, head: weighted.head, value: atToken(weighted) }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** The layers whose tokens a set needs. @throws `HEADS_INVALID` when it has MLP terms or no heads */
export function layersOf(set: ComponentSet): number[] {
  requireHeads(set);
  return [...new Set(set.heads.map(({ layer }) => layer))];
}

function requireHeads({ heads, mlps }: ComponentSet): void {
  if (mlps.length > 0 || heads.length === 0) {
    throw new ClipInterpretError(
      "HEADS_INVALID",
      "a map is made of attention heads; MLPs and embed have no tokens",
    );
  }
}

/**
 * Where the grid of patches lies on the original image: the part that the model was shown, but for a border on the
 * right and at the bottom where the patches do not divide its side.
 */
export function mapPlacement(shown: Rectangle, { imageSize, patchSize, grid }: GridSize): Rectangle {
  const covered = (grid * patchSize) / imageSize;
  return { ...shown, width: shown.width * covered, height: shown.height * covered };
}

interface GridSize {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly grid: number;
}

/** `topic`: each text alone. `contrast`: each against the mean of the others. */
export const SEGMENTATION_MODES = ["topic", "contrast"] as const;
export type SegmentationMode = (typeof SEGMENTATION_MODES)[number];

/** One text's map. */
export interface TextMap {
  readonly text: string;
  /** Cosine of the whole image with the text: of the contrast it is the difference. */
  readonly similarity: number;
  readonly map: TokenMap;
  /** The chosen patch, if one was asked for: what each head wrote there. */
  readonly heads?: readonly { readonly layer: number; readonly head: number; readonly value: number }[];
}

/** An image segmented by texts. */
export interface Segmentation {
  readonly mode: SegmentationMode;
  /** Patches down and across. */
  readonly grid: number;
  /** Where the map lies, in the pixels of the original as it was decoded. */
  readonly placement: Rectangle;
  readonly texts: readonly TextMap[];
  /** Of two or more texts. */
  readonly winners?: Winners;
  /** Each text's own map, whose differences the contrast shows: what {@link Winners} were chosen by. */
  readonly topics: readonly Float64Array[];
  readonly baselines?: readonly BaselineMap[];
  readonly shown: Preprocessed;
}

/** How an image is segmented. */
export interface SegmentOptions extends WorkOptions, DecodeOptions {
  readonly set: ComponentSet;
  readonly mode?: SegmentationMode;
  /** A patch, counted in reading order, whose heads are wanted. */
  readonly patch?: number;
  /** Also what other methods make of the image; costs a second pass of the encoder. */
  readonly baselines?: boolean;
}

/**
 * Segments an image file by texts.
 * @throws `TEXTS_EMPTY`; `USAGE` for a contrast of fewer than two texts or a patch that is not there; `HEADS_INVALID`;
 *   `SUM_MISMATCH`; and what decoding an image and loading a tokenizer throw
 */
export async function segmentImage(
  model: ClipModel,
  source: string | Uint8Array,
  texts: readonly string[],
  { set, mode = "topic", patch, baselines = false, ...options }: SegmentOptions,
): Promise<Segmentation> {
  const { config } = model;
  const { vision, embedDim } = config;
  if (texts.length === 0)
    throw new ClipInterpretError("TEXTS_EMPTY", "there is no text to segment the image by");
  if (mode === "contrast" && texts.length < 2)
    throw new ClipInterpretError("USAGE", "a contrast needs two or more texts");
  if (patch !== undefined && !(patch >= 0 && patch < vision.grid ** 2))
    throw new ClipInterpretError(
      "USAGE",
      `the model has ${vision.grid} × ${vision.grid} patches, counted from 0,0`,
    );
  const tokenLayers = layersOf(set);
  const shown = await preprocess(source, config.preprocess, options);
  const pixels = new Float32Array(shown.rgb.length);
  normalize(shown.rgb, config.preprocess, pixels);
  const decomposition = await model.decompose(pixels, { tokenLayers });
  const embeddings = await model.encodeTexts(texts, options);
  const plain = texts.map((_, i) => textProbe(embeddings.subarray(i * embedDim, (i + 1) * embedDim)));
  return {
    ...segmentDecomposed(model, decomposition, shown.placement, { texts, plain, set, mode, patch }),
    ...(baselines && { baselines: baselineMaps(await model.readTokens(pixels), plain) }),
    shown,
  };
}

/** What is asked of an image that is decomposed already. */
export interface DecomposedSegmentation {
  readonly texts: readonly string[];
  /** Each text's own probe [D], in the texts' order. */
  readonly plain: readonly Float64Array[];
  readonly set: ComponentSet;
  readonly mode: SegmentationMode;
  /** Patch whose strongest heads are wanted, in reading order. */
  readonly patch?: number | undefined;
}

/**
 * The maps of an image whose decomposition, with the tokens of the set's layers, is at hand.
 * @param shown where in the original the model looked
 */
export function segmentDecomposed(
  { geometry, config: { vision } }: Pick<ClipModel, "geometry" | "config">,
  decomposition: TokenDecomposition,
  shown: Rectangle,
  { texts, plain, set, mode, patch }: DecomposedSegmentation,
): Omit<Segmentation, "shown" | "baselines"> {
  const probes = mode === "contrast" ? contrastProbes(plain) : plain;
  const mapOf = (probe: Float64Array) => tokenMap(geometry, decomposition, probe, set);
  const maps = probes.map(mapOf);
  const topics = (mode === "contrast" ? plain.map(mapOf) : maps).map(({ values }) => values);
  return {
    mode,
    grid: vision.grid,
    placement: mapPlacement(shown, vision),
    texts: texts.map((text, i) => ({
      text,
      similarity: similarityTo(decomposition, probes[i]),
      map: maps[i],
      ...(patch !== undefined && {
        heads: tokenHeads(geometry, decomposition, probes[i], set, patch + 1),
      }),
    })),
    ...(texts.length > 1 && { winners: winnersOf(topics) }),
    topics,
  };
}

/** e·v/‖e‖ of the first image. */
const similarityTo = ({ embedding, norm }: TokenDecomposition, probe: Float64Array): number =>
  dot(embedding, probe) / norm[0];
