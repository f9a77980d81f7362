import type { HeadGeometry } from "../model/geometry.ts";
import { coordinateCount, headMetric } from "../model/head-space.ts";
import type { HeadCache } from "./head-cache.ts";

/** What a head wrote into every image of an index, in coordinates whose inner products are known. */
export interface MeasuredHead {
  /** [n, width] in float32. */
  readonly block: Float32Array;
  readonly width: number;
  /** [width, width]: M̃M̃ᵀ, in which inner products are taken; undefined where they are the coordinates' own. */
  readonly metric?: Float64Array | undefined;
}

/** A head's z̃ with its metric; of a model that pools by attention the contributions themselves, in D dimensions. */
export async function measuredHead(
  cache: HeadCache,
  geometry: HeadGeometry,
  layer: number,
  head: number,
): Promise<MeasuredHead> {
  const block = await cache.block(layer, head);
  const width = coordinateCount(geometry);
  const metric = headMetric(geometry, layer, head);
  return metric
    ? { block, width, metric }
    : { block: firstColumns(block, width, geometry.headDim), width: geometry.headDim };
}

function firstColumns(block: Float32Array, width: number, columns: number): Float32Array {
  const rows = block.length / width;
  const first = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    first.set(block.subarray(row * width, row * width + columns), row * columns);
  return first;
}
