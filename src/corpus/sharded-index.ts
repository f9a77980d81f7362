import type { Report } from "../support/progress.ts";
import { inTurn } from "../support/turns.ts";
import type { Manifest } from "./manifest.ts";
import type { RowTable } from "./row-table.ts";
import type { ImageRow, RejectedRow } from "./rows.ts";

/** How an index is opened. */
export interface ReadOptions {
  /** Where its images lie now, if not where they were indexed. */
  readonly root?: string | undefined;
  readonly report?: Report | undefined;
}

/**
 * An index of any size. Its rows and numbers stay where they are and are read shard by shard, and nothing that grows with the
 * number of images is kept. Images are those of all shards, one after another. `readIndex` has their rows in memory too.
 */
export interface ShardedIndex extends RowTable {
  readonly folder: string;
  /** What results call it; by default as its folder. */
  readonly name?: string;
  /** With the shards that are whole. */
  readonly manifest: Manifest;
  /** How many there are. */
  readonly images: { readonly length: number };
  readonly rejected: { readonly length: number };
  /** Files of the source that the last run could not reach. */
  readonly unread?: readonly RejectedRow[];
  /** The shards of the manifest that hold images. */
  readonly shards: readonly OpenShard[];
  /** [L, H, m+1, m+1], m = d_h + 3: Σ [z̃;1][z̃;1]ᵀ over all images; of an index of contributions there are none. */
  moments(): Promise<Float64Array>;
}

/** The numbers of a shard's images. What is read is compared with its checksum, or its sums. */
export interface OpenShard {
  /** Row of its first image in the whole index. */
  readonly start: number;
  readonly images: number;
  /** [n, 3]: μ, σ, ‖e‖. */
  scalars(): Promise<Float32Array>;
  /** [n, 3]: what z is scaled with, {@link imageScales}. */
  scales(): Promise<Float64Array>;
  /** [n, D]: e/‖e‖. */
  embeddings(): Promise<Float32Array>;
  /** [n, d_h]: z of one head as float32. */
  head(layer: number, head: number): Promise<Float32Array>;
  /** [n, D]: one MLP term as float16 bits; only of an index that keeps them. */
  mlpTerm(term: number): Promise<Uint16Array>;
}

/** Whether the rows of an index are in memory. */
export const hasRows = (
  index: ShardedIndex,
): index is ShardedIndex & { readonly images: readonly ImageRow[] } => Array.isArray(index.images);

/** Shards that are looked at, or read ahead, at a time. */
export const AT_ONCE = 4;

/** 0, 1, … of all images. */
export const everyRow = ({ images }: Pick<ShardedIndex, "images">): number[] =>
  Array.from({ length: images.length }, (_, row) => row);

/** What every shard has, one after another in one array: [n, width]. */
export async function gather<A extends Float32Array | Float64Array | Uint16Array>(
  { shards, images }: Pick<ShardedIndex, "shards" | "images">,
  whole: A,
  read: (shard: OpenShard) => Promise<A>,
): Promise<A> {
  const width = images.length === 0 ? 0 : whole.length / images.length;
  for await (const [{ start }, part] of inTurn(shards, AT_ONCE, read)) whole.set(part, start * width);
  return whole;
}

/** [n, D]: e/‖e‖ of all images. */
export const readEmbeddings = (index: ShardedIndex): Promise<Float32Array> =>
  gather(index, new Float32Array(index.images.length * index.manifest.embedDim), (shard) =>
    shard.embeddings(),
  );

/** [n, D]: one MLP term of all images as float16 bits; only of an index that keeps them. */
export const readMlpTerm = (index: ShardedIndex, term: number): Promise<Uint16Array> =>
  gather(index, new Uint16Array(index.images.length * index.manifest.embedDim), (shard) =>
    shard.mlpTerm(term),
  );
