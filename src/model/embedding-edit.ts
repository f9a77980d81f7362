import type { EmbeddingEdit } from "../onnx/encoder.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ComponentSet } from "./components.ts";
import type { HeadGeometry } from "./geometry.ts";

/**
 * A set's direct effect as an edit of the embedding, in float32.
 * @param mean [D]: what takes its place; zero when absent
 * @throws `HEADS_INVALID` for a set with MLP terms
 */
export function embeddingEdit(geometry: HeadGeometry, set: ComponentSet, mean?: Float64Array): EmbeddingEdit {
  if (set.mlps.length > 0) {
    throw new ClipInterpretError("HEADS_INVALID", "an exported encoder can leave out heads, not MLP terms");
  }
  const { layers, heads, headDim, embedDim, terms, M, k, s, b, pool } = geometry;
  const instead = mean ? Float32Array.from(mean) : new Float32Array(embedDim);
  if (pool) {
    const pooled = new Float32Array(layers * heads);
    for (const { layer, head, weight } of set.heads) pooled[layer * heads + head] = weight;
    const none = new Float32Array();
    return {
      ...{ columns: [], matrix: none, constant: none, perMean: none, perDeviation: none, mean: instead },
      pooled,
    };
  }
  const size = headDim * embedDim;
  const matrix = new Float32Array(set.heads.length * size);
  const constant = new Float64Array(embedDim);
  const byLayer = new Map<number, number[]>();
  let weights = 0;
  for (const [i, { layer, head, weight }] of set.heads.entries()) {
    const from = (layer * heads + head) * size;
    for (let at = 0; at < size; at++) matrix[i * size + at] = weight * M[from + at];
    for (let d = 0; d < embedDim; d++) constant[d] += (weight * k[layer * embedDim + d]) / heads;
    const columns = byLayer.get(layer) ?? [];
    for (let column = head * headDim; column < (head + 1) * headDim; column++) columns.push(column);
    byLayer.set(layer, columns);
    weights += weight;
  }
  const share = weights / (terms * heads);
  return {
    columns: [...byLayer].map(([layer, columns]) => ({ layer, columns })),
    matrix,
    constant: Float32Array.from(constant),
    perMean: s.map((value) => -share * value),
    perDeviation: b.map((value) => share * value),
    mean: instead,
  };
}
