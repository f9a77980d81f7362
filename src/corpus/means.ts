import { addScaled } from "../math/linear.ts";
import { allHeads, type ComponentSet, type WeightedHead } from "../model/components.ts";
import type { HeadGeometry } from "../model/geometry.ts";
import { coordinateCount, headMatrix } from "../model/head-space.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { createHeadCache } from "./head-cache.ts";
import { everyRow, type ShardedIndex } from "./sharded-index.ts";

/**
 * The mean of what some heads wrote over an index's images, Σ_h w_h·mean(z̃_h)·M̃_h: [D] in float64.
 * @param rows only these images; by default all, from the moments
 * @throws `HEADS_INVALID` for a set with MLP terms
 * @example
 * ```ts
 * import { openIndex, openModel, parseHeads } from "clip-interpret";
 * import { meanContribution } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const mean = await meanContribution(index, model.geometry, parseHeads(model, "L1.H0"));
 * console.log(mean.length, Math.hypot(...mean).toFixed(4)); // → 128 0.0460
 * ```
 */
export async function meanContribution(
  index: ShardedIndex,
  geometry: HeadGeometry,
  set: ComponentSet,
  rows?: readonly number[],
): Promise<Float64Array> {
  if (set.mlps.length > 0) {
    throw new ClipInterpretError("HEADS_INVALID", "an index keeps the means of heads, not of MLP terms");
  }
  const means = await meansOf(index, geometry, rows);
  const sum = new Float64Array(geometry.embedDim);
  for (const head of set.heads) await addMean(sum, geometry, means, head);
  return sum;
}

/** The mean of what each head wrote over an index's images: [L·H, D] in float64. */
export async function meanOfEachHead(index: ShardedIndex, geometry: HeadGeometry): Promise<Float64Array[]> {
  const means = await meansOf(index, geometry);
  const all: Float64Array[] = [];
  for (const head of allHeads(geometry).heads) {
    const sum = new Float64Array(geometry.embedDim);
    await addMean(sum, geometry, means, head);
    all.push(sum);
  }
  return all;
}

async function addMean(
  sum: Float64Array,
  geometry: HeadGeometry,
  means: HeadMean,
  { layer, head, weight }: WeightedHead,
): Promise<void> {
  const matrix = headMatrix(geometry, layer, head);
  const mean = await means(layer, head);
  for (const [i, value] of mean.entries()) addScaled(sum, weight * value, matrix, i * geometry.embedDim);
}

/** Without moments a mean is that of all rows. */
async function meansOf(
  index: ShardedIndex,
  geometry: HeadGeometry,
  rows?: readonly number[],
): Promise<HeadMean> {
  return rows || geometry.pool
    ? meansOfRows(index, rows ?? everyRow(index))
    : await meansOfAll(index, geometry);
}

/** mean(z̃) of a head, [d_h + 3]. */
type HeadMean = (layer: number, head: number) => Promise<Float64Array> | Float64Array;

async function meansOfAll(index: ShardedIndex, { heads, headDim }: HeadGeometry): Promise<HeadMean> {
  const moments = await index.moments();
  const size = coordinateCount({ headDim }) + 1;
  return (layer, head) => {
    // The last row holds Σ z̃ and, at its end, the count.
    const row = (layer * heads + head) * size * size + (size - 1) * size;
    return moments.slice(row, row + size - 1).map((sum) => sum / moments[row + size - 1]);
  };
}

function meansOfRows(index: ShardedIndex, rows: readonly number[]): HeadMean {
  const cache = createHeadCache(index, 0);
  const width = coordinateCount(index.manifest);
  return async (layer, head) => {
    const block = await cache.block(layer, head);
    const sum = new Float64Array(width);
    for (const row of rows) addScaled(sum, 1, block, row * width);
    return sum.map((value) => value / rows.length);
  };
}
