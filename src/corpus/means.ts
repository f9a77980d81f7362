import { createHash } from "node:crypto";
import type { ComponentSet } from "../model/components.ts";
import { type HeadGeometry, headMatrix } from "../model/geometry.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Index } from "./open-index.ts";

/**
 * The mean of what some heads wrote over an index's images, Σ_h w_h·mean(z̃_h)·M̃_h: [D] in float64, from the moments.
 * @throws `HEADS_INVALID` for a set with MLP terms
 */
export async function meanContribution(
  index: Index,
  geometry: HeadGeometry,
  set: ComponentSet,
): Promise<Float64Array> {
  if (set.mlps.length > 0) {
    throw new ClipInterpretError("HEADS_INVALID", "an index keeps the means of heads, not of MLP terms");
  }
  const { heads, headDim, embedDim } = geometry;
  const moments = await index.moments();
  const size = headDim + 4;
  const sum = new Float64Array(embedDim);
  for (const { layer, head, weight } of set.heads) {
    const matrix = headMatrix(geometry, layer, head);
    // The last row holds Σ z̃ and, at its end, the count.
    const row = (layer * heads + head) * size * size + (size - 1) * size;
    const count = moments[row + size - 1];
    for (let i = 0; i < size - 1; i++) {
      const mean = (weight * moments[row + i]) / count;
      for (let d = 0; d < embedDim; d++) sum[d] += mean * matrix[i * embedDim + d];
    }
  }
  return sum;
}

/** SHA-256 (hex) of what an index is made of: its model, its preprocessing and its images' bytes, in their order. */
export function hashIndex({ manifest, images }: Pick<Index, "manifest" | "images">): string {
  const hash = createHash("sha256");
  const { weights, precision } = manifest.model;
  hash.update(`${JSON.stringify([weights, precision, manifest.preprocessing])}\n`);
  for (const { sha256 } of images) hash.update(`${sha256}\n`);
  return hash.digest("hex");
}
