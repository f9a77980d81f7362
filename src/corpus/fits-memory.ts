/** Whether what an analysis of all images holds fits into this process, said before it dies of it. */
import { getHeapStatistics } from "node:v8";
import { ClipInterpretError } from "../support/errors.ts";
import type { Manifest } from "./manifest.ts";

/** Bytes of memory for one of `images.jsonl`: measured 1.5 for bare rows, less than 2 with factors. */
const ROW_FACTOR = 2;
/** The share of the heap that rows may take: what is computed of them needs some too. */
const SHARE = 0.75;

/**
 * Sees that the rows of an index fit into the heap, and its embeddings, the largest of the arrays that analyses hold, into memory.
 * @throws `INDEX_TOO_LARGE`
 */
export function requireFits({ shards, embedDim }: Manifest, folder: string): void {
  const sum = (of: (shard: Manifest["shards"][number]) => number) =>
    shards.reduce((total, shard) => total + of(shard), 0);
  const images = sum((shard) => shard.images);
  const rows = ROW_FACTOR * sum(({ files }) => files["images.jsonl"]?.bytes ?? 0);
  const heap = SHARE * getHeapStatistics().heap_size_limit;
  if (rows > heap)
    throw tooLarge(`their rows take about ${shown(rows)}, and this process has ${shown(heap)} for them`);
  const arrays = images * embedDim * Float32Array.BYTES_PER_ELEMENT;
  const free = process.availableMemory();
  if (arrays > free)
    throw tooLarge(`their embeddings take ${shown(arrays)}, and ${shown(free)} of memory are free`);

  function tooLarge(why: string): ClipInterpretError {
    return new ClipInterpretError(
      "INDEX_TOO_LARGE",
      `${folder} holds ${images.toLocaleString("en")} images: ${why}`,
    );
  }
}

const shown = (bytes: number) =>
  `${(bytes / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 0 })} MiB`;
