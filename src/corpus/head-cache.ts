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
  const kept = new Map<string, Promise<Float32Array>>();
  const sizes = new Map<string, number>();
  const { headDim, embedDim } = index.manifest;
  const n = index.images.length;
  const scales = shared(() => index.scalars().then(imageScales));

  const keep = (key: string, bytes: number, load: () => Promise<Float32Array>): Promise<Float32Array> => {
    const known = kept.get(key);
    if (known) {
      // Reading it makes it the most recently used.
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    const pending = load();
    if (bytes > budget) return pending;
    kept.set(key, pending);
    sizes.set(key, bytes);
    pending.catch(() => drop(key));
    while (total() > budget) drop(kept.keys().next().value!);
    return pending;
  };
  const total = () => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const drop = (key: string) => {
    kept.delete(key);
    sizes.delete(key);
  };

  return {
    block: (layer, head) =>
      keep(`${layer}.${head}`, n * (headDim + 3) * 4, async () =>
        scaledBlock(await index.head(layer, head), await scales(), headDim),
      ),
    embeddings: () => keep("embeddings", n * embedDim * 4, () => index.embeddings()),
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

/** A function whose first call's promise is given to all. */
function shared<T>(load: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= load();
    return pending;
  };
}
