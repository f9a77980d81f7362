import { coordinateCount, setScaled } from "../model/head-space.ts";
import { sharedCache } from "../support/shared.ts";
import { gather, type OpenShard, type ShardedIndex } from "./sharded-index.ts";

/** Blocks of an index in memory, ready to be multiplied; the least recently used go when the budget is full. */
export interface HeadCache {
  /** [n, d_h + 3]: z̃ of one head of every image, [z/(σ‖e‖), 1/(σ‖e‖), μ/(σ‖e‖), 1/‖e‖], in float32. */
  block(layer: number, head: number): Promise<Float32Array>;
  /** The same of one shard's images. */
  part(shard: OpenShard, layer: number, head: number): Promise<Float32Array>;
  /** [n, D] of a shard: e/‖e‖. */
  embeddings(shard: OpenShard): Promise<Float32Array>;
}

const BUDGET = 2 ** 31;

/**
 * Keeps what searches read.
 * @param budget bytes; a head that takes more than all of it is read anew each time, shard by shard
 */
export function createHeadCache(
  { manifest, images, shards }: Pick<ShardedIndex, "manifest" | "images" | "shards">,
  budget = BUDGET,
): HeadCache {
  const kept = sharedCache<Float32Array>(budget);
  const { headDim, embedDim } = manifest;
  const width = coordinateCount({ headDim });
  const read = async (shard: OpenShard, layer: number, head: number) =>
    scaledBlock(await shard.head(layer, head), await shard.scales(), headDim);
  /** Reading all shards in turn would push out what is read next: what does not fit as a whole is not kept. */
  const partOf = (key: string, shard: OpenShard, columns: number, load: () => Promise<Float32Array>) =>
    images.length * columns * 4 > budget
      ? load()
      : kept.get(`${key} ${shard.start}`, load, shard.images * columns * 4);
  return {
    block: (layer, head) =>
      kept.get(
        `${layer}.${head}`,
        () =>
          gather({ shards, images }, new Float32Array(images.length * width), (shard) =>
            read(shard, layer, head),
          ),
        images.length * width * 4,
      ),
    part: (shard, layer, head) => partOf(`${layer}.${head}`, shard, width, () => read(shard, layer, head)),
    embeddings: (shard) => partOf("embeddings", shard, embedDim, () => shard.embeddings()),
  };
}

function scaledBlock(z: Float32Array, scales: Float64Array, headDim: number): Float32Array {
  const images = z.length / headDim;
  const width = coordinateCount({ headDim });
  const block = new Float32Array(images * width);
  for (let image = 0; image < images; image++) setScaled(block, image * width, z, headDim, scales, image);
  return block;
}
