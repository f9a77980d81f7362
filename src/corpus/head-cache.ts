import { once, sharedCache } from "../support/shared.ts";
import type { Index } from "./open-index.ts";

/** Blocks of an index in memory, ready to be multiplied; the least recently used go when the budget is full. */
export interface HeadCache {
  /** [n, d_h + 3]: z̃ of one head of every image, [z/(σ‖e‖), 1/(σ‖e‖), μ/(σ‖e‖), 1/‖e‖], in float32. */
  block(layer: number, head: number): Promise<Float32Array>;
  /** [n, D]: e/‖e‖. */
  embeddings(): Promise<Float32Array>;
}

const BUDGET = 2 ** 31;

/**
 * Keeps what searches read.
 * @param budget bytes; a block that is larger than all of it is still given, and not kept
 */
export function createHeadCache(index: Index, budget = BUDGET): HeadCache {
  const kept = sharedCache<Float32Array>(budget);
  const { headDim, embedDim } = index.manifest;
  const n = index.images.length;
  const scales = once(() => index.scalars().then(imageScales));

  return {
    block: (layer, head) =>
      kept.get(
        `${layer}.${head}`,
        async () => scaledBlock(await index.head(layer, head), await scales(), headDim),
        n * (headDim + 3) * 4,
      ),
    embeddings: () => kept.get("embeddings", () => index.embeddings(), n * embedDim * 4),
  };
}

/** 1/(σ‖e‖), μ/(σ‖e‖) and 1/‖e‖ of every image, [n, 3]. */
export function imageScales(scalars: Float32Array): Float64Array {
  const scales = new Float64Array(scalars.length);
  for (let i = 0; i < scalars.length; i += 3) {
    const [mu, sigma, norm] = [scalars[i], scalars[i + 1], scalars[i + 2]];
    scales[i] = 1 / (sigma * norm);
    scales[i + 1] = mu / (sigma * norm);
    scales[i + 2] = 1 / norm;
  }
  return scales;
}

function scaledBlock(z: Float32Array, scales: Float64Array, headDim: number): Float32Array {
  const width = headDim + 3;
  const block = new Float32Array((z.length / headDim) * width);
  for (let from = 0, to = 0, s = 0; from < z.length; from += headDim, to += width, s += 3) {
    const scale = scales[s];
    for (let i = 0; i < headDim; i++) block[to + i] = z[from + i] * scale;
    block[to + headDim] = scale;
    block[to + headDim + 1] = scales[s + 1];
    block[to + headDim + 2] = scales[s + 2];
  }
  return block;
}
