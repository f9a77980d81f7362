/** Whether what an analysis of all images holds fits into this process, said before it dies of it. */
import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import { ClipInterpretError } from "../support/errors.ts";
import type { Manifest } from "./manifest.ts";

/** Bytes of memory for one of `images.jsonl`: measured 1.5 for bare rows, less than 2 with factors. */
const ROW_FACTOR = 2;
/** The share of a limit that may be taken: what is computed needs some too. */
const SHARE = 0.75;
/** Bytes of the heap that are not for rows: the program, and where new objects are. */
const PROGRAM = 112 * 2 ** 20;

/**
 * Sees that the rows of an index fit into the heap, and its embeddings, the largest of the arrays that analyses hold, into memory.
 * @throws `INDEX_TOO_LARGE`
 */
export function requireFits({ shards, embedDim }: Manifest, folder: string): void {
  const images = shards.reduce((sum, shard) => sum + shard.images, 0);
  const lines = shards.reduce((sum, { files }) => sum + (files["images.jsonl"]?.bytes ?? 0), 0);
  // Not what is free: of a container's, what its files are cached in counts as taken.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const needs = [
    ["their rows", ROW_FACTOR * lines, SHARE * (getHeapStatistics().heap_size_limit - PROGRAM)],
    ["their embeddings", 4 * embedDim * images, SHARE * memory],
  ] as const;
  for (const [what, bytes, limit] of needs) {
    if (bytes <= limit) continue;
    const message = `${folder} holds ${images.toLocaleString("en")} images: ${what} take about ${shown(bytes)}, and this process has ${shown(limit)} for them`;
    throw new ClipInterpretError("INDEX_TOO_LARGE", message);
  }
}

const shown = (bytes: number) => `${Math.round(Math.max(0, bytes) / 2 ** 20).toLocaleString("en")} MiB`;
