/**
 * Full-forward ablation: heads are taken away inside the network, at every token, so that nothing after them reads
 * them any more. A head's output z becomes nothing, or its mean at each token position over calibration images. A
 * direct effect is a part of this: what a head tells later components it takes along.
 *
 * Of a single direction v of a head, with M what z is written through, z becomes z − (z·M·v)·t where t·M = v: what it writes loses
 * v and nothing else, and later layers read what is left. All d_h directions are the head.
 */

import type { Index } from "../../corpus/open-index.ts";
import { pictureOf } from "../../corpus/picture.ts";
import { missingPictures } from "../../corpus/root.ts";
import { preprocessAll } from "../../image/pool.ts";
import type { Preprocessed } from "../../image/show.ts";
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { ComponentSet, WeightedDirection } from "../../model/components.ts";
import type { Gate } from "../../model/decompose.ts";
import { normalizeAll } from "../../model/pixels.ts";
import {
  type DirectedModel,
  type DirectionsOf,
  singularDirections,
} from "../../model/singular-directions.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";

/** z of every head at every token, mean over calibration images: [L, N, H, d_h]; of the last layer at CLS alone. */
export type MeanOutputs = Float64Array;

/** Images in one run: few, since every token of every layer comes back. */
const CALIBRATION_BATCH = 4;
const BATCH = 32;

/**
 * Images of an index as the model is shown them, batch after batch in the order of `rows`.
 * @throws `IMAGES_MISSING` for a picture that is gone; `INDEX_OUTDATED` for one that has changed;
 *   `CANCELLED`
 */
export async function* indexPixels(
  model: ClipModel,
  { manifest, images, folder }: Index,
  rows: readonly number[],
  batch: number,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly start: number; readonly count: number; readonly pixels: Float32Array }> {
  const { preprocess } = model.config;
  const { exif } = manifest.preprocessing;
  const files = rows.map((row) => pictureOf(manifest.root, images[row].path));
  let shown: Preprocessed[] = [];
  let start = 0;
  for await (const outcome of preprocessAll(files, preprocess, { ahead: 4 * batch, exif, signal })) {
    const { path, sha256 } = images[rows[start + shown.length]];
    if ("error" in outcome) {
      const message = missingPictures({ folder, manifest }, [path])!;
      throw new ClipInterpretError("IMAGES_MISSING", message, { cause: outcome.error });
    }
    if (outcome.image.sha256 !== sha256) {
      throw new ClipInterpretError("INDEX_OUTDATED", `${path} has changed since ${folder} was made`);
    }
    shown.push(outcome.image);
    if (shown.length < batch && start + shown.length < rows.length) continue;
    yield { start, count: shown.length, pixels: normalizeAll(shown, preprocess) };
    start += shown.length;
    shown = [];
  }
}

/**
 * What every head's output is on average at each token position.
 * @param rows calibration images of the index
 * @param layers those whose heads may be ablated; the others stay 0
 * @throws as `indexPixels`; `SUM_MISMATCH`
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { meanOutputs } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const means = await meanOutputs(model, index, [0, 1, 2, 3], [3]);
 * console.log(means.length === 4 * 65 * 128); // → true
 * ```
 */
export async function meanOutputs(
  model: ClipModel,
  index: Index,
  rows: readonly number[],
  layers: readonly number[],
  { report, signal }: WorkOptions = {},
): Promise<MeanOutputs> {
  const { vision } = model.config;
  const perLayer = vision.tokens * vision.width;
  const sums = new Float64Array(vision.layers * perLayer);
  const task = "mean head outputs";
  report?.({ type: "start", task, unit: "image", total: rows.length });
  for await (const { start, count, pixels } of indexPixels(model, index, rows, CALIBRATION_BATCH, signal)) {
    const { outputs } = await model.decompose(pixels, { outputLayers: layers });
    for (const [layer, z] of outputs) {
      const size = z.length / count;
      for (let i = 0; i < z.length; i++) sums[layer * perLayer + (i % size)] += z[i];
    }
    report?.({ type: "advance", task, done: start + count, total: rows.length });
  }
  report?.({ type: "end", task, done: rows.length });
  return sums.map((sum) => sum / rows.length);
}

/** The gate that leaves everything as it is. */
export function openGate({ config: { vision } }: Pick<ClipModel, "config">): Gate {
  return {
    gate: new Float32Array(vision.layers * vision.heads).fill(1),
    offset: new Float32Array(vision.layers * vision.tokens * vision.width),
  };
}

/**
 * The gate that takes heads, or single directions of heads, away, to nothing or to their means; a weight says how much of one.
 * @param means of {@link meanOutputs}; without them to nothing
 * @param directionsOf {@link singularDirections}, where many gates are made
 * @throws `HEADS_INVALID` for MLP terms: a gate holds heads alone; `MODEL_UNSUPPORTED` for directions where heads write through more
 *   than what they output
 */
export async function ablationGate(
  model: DirectedModel,
  set: ComponentSet,
  means?: MeanOutputs,
  directionsOf?: DirectionsOf,
): Promise<Gate> {
  if (set.mlps.length > 0) {
    const hint = "Name heads only, or leave --full-forward out.";
    throw new ClipInterpretError("HEADS_INVALID", "MLPs cannot be gated inside the network", { hint });
  }
  const { heads, headDim, tokens, width } = model.config.vision;
  const open = openGate(model);
  for (const { layer, head, weight } of set.heads) {
    open.gate[layer * heads + head] = 1 - weight;
    if (!means) continue;
    for (let token = 0; token < tokens; token++) {
      const at = (layer * tokens + token) * width + head * headDim;
      for (let i = at; i < at + headDim; i++) open.offset[i] = weight * means[i];
    }
  }
  const { directions = [] } = set;
  if (directions.length === 0) return open;
  return {
    ...open,
    along: await takeAlong(model, directions, directionsOf ?? singularDirections(model), open, means),
  };
}

/** What takes directions away, −w·(z·M·v)·t each; their means join the offset. */
async function takeAlong(
  model: DirectedModel,
  directions: readonly WeightedDirection[],
  directionsOf: DirectionsOf,
  { offset }: Gate,
  means: MeanOutputs | undefined,
): Promise<NonNullable<Gate["along"]>> {
  const { layers, headDim, tokens, width } = model.config.vision;
  if (model.geometry.headDim !== headDim)
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${model.name} normalises what its heads write, so that no direction of one can be taken away inside the network`,
      { hint: "Name whole heads, or leave --full-forward out: a direction is taken out of the embedding." },
    );
  const inLayer = Array.from({ length: layers }, (_, layer) =>
    directions.filter((along) => along.layer === layer),
  );
  const rank = Math.max(...inLayer.map(({ length }) => length));
  const [reads, writes] = [new Float32Array(layers * width * rank), new Float32Array(layers * rank * width)];
  for (const [layer, own] of inLayer.entries()) {
    for (const [r, { head, direction, weight }] of own.entries()) {
      const { seen, outputs } = await directionsOf(layer, head);
      const [from, at] = [direction * headDim, head * headDim];
      const u = seen.subarray(from, from + headDim);
      const t = outputs().subarray(from, from + headDim);
      for (let i = 0; i < headDim; i++) {
        reads[(layer * width + at + i) * rank + r] = -weight * u[i];
        writes[(layer * rank + r) * width + at + i] = t[i];
      }
      if (!means) continue;
      for (let token = 0; token < tokens; token++) {
        const start = (layer * tokens + token) * width + at;
        const mean = weight * dot(means, u, start);
        for (let i = 0; i < headDim; i++) offset[start + i] += mean * t[i];
      }
    }
  }
  return { reads, writes };
}

/**
 * Cosines of images and classes under several gates, [rows, C] each: every picture is read once.
 * @param probes [C, D], unit length
 * @throws as `indexPixels`; `SUM_MISMATCH`
 */
export async function forwardScores(
  model: ClipModel,
  index: Index,
  rows: readonly number[],
  probes: Float64Array,
  gates: readonly Gate[],
  { report, signal }: WorkOptions = {},
): Promise<Float64Array[]> {
  const { embedDim } = model.config;
  const classes = probes.length / embedDim;
  const scores = gates.map(() => new Float64Array(rows.length * classes));
  const task = "gated network";
  const total = rows.length * gates.length;
  report?.({ type: "start", task, unit: "image", total });
  for await (const { start, count, pixels } of indexPixels(model, index, rows, BATCH, signal)) {
    for (const [g, gate] of gates.entries()) {
      checkCancelled(signal);
      const { embedding, norm } = await model.decompose(pixels, { gate });
      for (let image = 0; image < count; image++) {
        for (let c = 0; c < classes; c++) {
          const product = dot(embedding, probes, image * embedDim, c * embedDim, embedDim);
          scores[g][(start + image) * classes + c] = product / norm[image];
        }
      }
      report?.({ type: "advance", task, done: start * gates.length + (g + 1) * count, total });
    }
  }
  report?.({ type: "end", task, done: total });
  return scores;
}
