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
 * in the reference implementation the CLS token is no part of the map; its share is given beside it.
 */

import type { DecodeOptions } from "../../image/decode-options.ts";
import type { Preprocessed, Rectangle } from "../../image/show.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import {
  type ComponentSet,
  componentNames,
  type WeightedHead,
  type WrittenSet,
} from "../../model/components.ts";
import type { TokenDecomposition } from "../../model/decompose.ts";
import { SUM_TOLERANCE } from "../../model/decomposition.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { prepareProbe } from "../../model/head-space.ts";
import { scoreImages, scoreTokens } from "../../model/kernel.ts";
import { truncatedIn } from "../../model/notices.ts";
import { pixelsOf } from "../../model/pixels.ts";
import { contrastProbe, unitProbe } from "../../model/probe.ts";
import { type ImageOrigin, originOf } from "../../results/origin.ts";
import {
  type SegmentationMode,
  type SegmentationScale,
  type SegmentedText,
  type SegmentResult,
  segmentResult,
} from "../../results/segment.ts";
import { componentsOf, type Head, headOf } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { type BaselineMap, baselineMaps } from "./baselines.ts";

/** What each token brought to the score of some heads. */
export interface TokenMap {
  /** `[N − 1]`: the patches in reading order. */
  readonly values: Float64Array;
  /** Σ values. */
  readonly patches: number;
  /** The CLS token's own share, with a register's where one was added; 0 where the model has none. */
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
  const { prefix, patches: count } = decomposition.tokens;
  const values = scores.slice(prefix, prefix + count);
  const patches = values.reduce((sum, value) => sum + value, 0);
  const register = scores.subarray(prefix + count).reduce((sum, value) => sum + value, 0);
  const cls = (prefix === 1 ? scores[0] : 0) + register;
  const score = scoreImages(geometry, prepared, decomposition, set)[image];
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
  /** [N − 1]: index of the highest; the first of ties. */
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
): (Head & { value: number })[] {
  const prepared = prepareProbe(geometry, probe);
  const { tokens } = decomposition;
  const atToken = (head: WeightedHead) =>
    scoreTokens(geometry, prepared, decomposition, tokens, { heads: [head], mlps: [] }, image)[token];
  return set.heads
    .map((weighted) => ({ ...headOf(weighted.layer, weighted.head), value: atToken(weighted) }))
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

/** What is asked of an image. */
export interface SegmentationAsked {
  readonly set: ComponentSet | WrittenSet;
  /** The set as the user wrote it; by default its name, or the names of its components. */
  readonly written?: string;
  readonly mode?: SegmentationMode;
  readonly scale?: SegmentationScale;
  /** A patch, counted in reading order, whose heads are wanted. */
  readonly patch?: number;
}

/** How an image is segmented. */
export interface SegmentOptions extends SegmentationAsked, WorkOptions, DecodeOptions {
  /** How the result names the image; by default by its path. */
  readonly image?: Partial<ImageOrigin>;
  /** Also what other methods make of the image; costs a second pass of the encoder. */
  readonly baselines?: boolean;
}

/**
 * Segments an image by texts.
 * @param source path, or the bytes of an image file
 * @throws `TEXTS_EMPTY`; `USAGE` for a contrast of fewer than two texts or a patch that is not there; `HEADS_INVALID`;
 *   `SUM_MISMATCH`; and what decoding an image and loading a tokenizer throw
 * @example
 * ```ts
 * import { openModel, parseHeads, segmentImage } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const set = parseHeads(model, "last2");
 * const { texts, winners } = await segmentImage(model, scene, ["a monkey", "a purple backdrop"], { set, mode: "contrast" });
 * console.log(texts[0].values.length, "rows;", winners?.counts, "patches won"); // → 8 rows; [ 20, 44 ] patches won
 * ```
 */
export async function segmentImage(
  model: ClipModel,
  source: string | Uint8Array,
  texts: readonly string[],
  { image, baselines = false, ...options }: SegmentOptions,
): Promise<SegmentResult> {
  const { vision, embedDim } = model.config;
  const { set, mode, patch } = options;
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
  const { pixels, shown } = await pixelsOf(model, source, options);
  const decomposition = await model.decompose(pixels, { tokenLayers });
  const embeddings = await model.encodeTexts(texts, options);
  const probes = texts.map((_, i) => unitProbe(embeddings.subarray(i * embedDim, (i + 1) * embedDim)));
  const name = typeof source === "string" ? source : "an image";
  const seen = { decomposition, shown, image: { name, label: null, sha256: shown.sha256, ...image } };
  const others = baselines ? await baselineMaps(model, pixels, probes) : undefined;
  return segmentSeen(model, seen, { texts, probes }, options, others);
}

/** An image that a model has decomposed, with the tokens of every layer that is asked about. */
export interface SeenImage {
  readonly image: ImageOrigin;
  readonly shown: Omit<Preprocessed, "rgb">;
  readonly decomposition: TokenDecomposition;
}

/** {@link segmentImage} of an image and texts that are encoded already. @param texts with each text's own probe, [D] */
export async function segmentSeen(
  model: ClipModel,
  { image, shown, decomposition }: SeenImage,
  { texts, probes: plain }: { readonly texts: readonly string[]; readonly probes: readonly Float64Array[] },
  { set, written, mode = "topic", scale = "common", patch }: SegmentationAsked,
  baselines?: readonly BaselineMap[],
): Promise<SegmentResult> {
  const name = written ?? ("name" in set ? set.name : componentNames(set, model.geometry).join());
  const { geometry, config } = model;
  const { grid } = config.vision;
  const rows = <T extends number>(values: Iterable<T>): T[][] => {
    const all = [...values];
    return Array.from({ length: grid }, (_, row) => all.slice(row * grid, (row + 1) * grid));
  };
  const probes = mode === "contrast" ? contrastProbes(plain) : plain;
  const mapOf = (probe: Float64Array) => tokenMap(geometry, decomposition, probe, set);
  const maps = probes.map(mapOf);
  const own = mode === "contrast" ? plain.map((probe) => mapOf(probe).values) : undefined;
  const winners = texts.length > 1 ? winnersOf(own ?? maps.map(({ values }) => values)) : undefined;
  const chosen = (i: number): SegmentedText["token"] =>
    patch === undefined
      ? undefined
      : {
          ...{ row: Math.floor(patch / grid), column: patch % grid, value: maps[i].values[patch] },
          heads: tokenHeads(geometry, decomposition, probes[i], set, config.vision.prefix + patch),
        };
  return segmentResult(await originOf({ model, image }), {
    components: componentsOf(name, set, geometry),
    ...{ mode, scale, grid: { rows: grid, columns: grid } },
    original: { width: shown.width, height: shown.height },
    placement: mapPlacement(shown.placement, config.vision),
    texts: maps.map(({ values, cls, ...sums }, i) => ({
      ...{ text: texts[i], similarity: similarityTo(decomposition, probes[i]), values: rows(values) },
      ...(own && { own: rows(own[i]) }),
      ...{ ...sums, cls: config.vision.prefix === 1 ? cls : null },
      ...(patch !== undefined && { token: chosen(i) }),
    })),
    ...(await truncatedIn(model, texts)),
    ...(winners && {
      winners: { text: rows(winners.winner), margin: rows(winners.margin), counts: [...winners.counts] },
    }),
    ...(baselines && {
      baselines: baselines.map(({ values, text, ...about }) => ({
        ...{ ...about, text: text === null ? null : texts[text], values: rows(values) },
      })),
    }),
  });
}

/** e·v/‖e‖ of the first image. */
const similarityTo = ({ embedding, norm }: TokenDecomposition, probe: Float64Array): number =>
  dot(embedding, probe) / norm[0];
