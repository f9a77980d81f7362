import { coordinateCount, imageScales, setScaled } from "../model/head-space.ts";
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
        n * coordinateCount({ headDim }) * 4,
      ),
    embeddings: () => kept.get("embeddings", () => index.embeddings(), n * embedDim * 4),
  };
}

function scaledBlock(z: Float32Array, scales: Float64Array, headDim: number): Float32Array {
  const images = z.length / headDim;
  const width = coordinateCount({ headDim });
  const block = new Float32Array(images * width);
  for (let image = 0; image < images; image++) setScaled(block, image * width, z, headDim, scales, image);
  return block;
}
