import type { MatMul } from "../onnx/matmul.ts";
import type { TokenDecomposition } from "./decompose.ts";
import type { Decomposition } from "./decomposition.ts";
import type { HeadGeometry } from "./geometry.ts";
import { constantPart } from "./head-space.ts";

/*
 * The reference scripts' dense arrays, for exchange and for checking: some 20 times larger than z, and everything
 * else here works without them.
 */

/**
 * head(l,h) of every head: [b, L, H, D] in float32, divided by ‖e‖.
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel } from "clip-interpret";
 * import { denseHeads } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const heads = await denseHeads(model.matmul, model.geometry, scene);
 * console.log(heads.length === 4 * 4 * 128); // → true
 * ```
 */
export async function denseHeads(
  matmul: MatMul,
  geometry: HeadGeometry,
  { count, z, mu, sigma, norm }: Decomposition,
): Promise<Float32Array> {
  const { layers, heads, headDim, embedDim, M } = geometry;
  const units = layers * heads;
  // One product per head: [b, d_h] × [d_h, D], so images move next to d_h.
  const byHead = new Float32Array(z.length);
  for (let image = 0; image < count; image++) {
    for (let unit = 0; unit < units; unit++) {
      const from = (image * units + unit) * headDim;
      byHead.set(z.subarray(from, from + headDim), (unit * count + image) * headDim);
    }
  }
  const products = await matmul(
    { data: byHead, dims: [units, count, headDim] },
    { data: M, dims: [units, headDim, embedDim] },
  );
  const result = new Float32Array(count * units * embedDim);
  for (let image = 0; image < count; image++) {
    for (let unit = 0; unit < units; unit++) {
      const constant = constantPart(geometry, mu[image], sigma[image], Math.floor(unit / heads));
      const from = (unit * count + image) * embedDim;
      const to = (image * units + unit) * embedDim;
      for (let d = 0; d < embedDim; d++) {
        result[to + d] = (products[from + d] / sigma[image] + constant[d]) / norm[image];
      }
    }
  }
  return result;
}

/**
 * token(l,h,i) of one image and layer: [N, H, D] in float32, divided by ‖e‖; summed over tokens it is head(l,h).
 * @throws RangeError when the layer's token terms were not asked for
 * @example
 * ```ts
 * import { decomposeImage, openModel, parseHeads } from "clip-interpret";
 * import { denseTokens } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png", { tokensOf: parseHeads(model, "L3") });
 * const tokens = await denseTokens(model.matmul, model.geometry, scene, 3, 0);
 * console.log(tokens.length === (1 + 8 * 8) * 4 * 128); // → true
 * ```
 */
export async function denseTokens(
  matmul: MatMul,
  geometry: HeadGeometry,
  { mu, sigma, norm, tokens: { tokens, layers } }: TokenDecomposition,
  layer: number,
  image: number,
): Promise<Float32Array> {
  const { heads, headDim, embedDim, M } = geometry;
  const terms = layers.get(layer);
  if (!terms) throw new RangeError(`no token terms for layer ${layer}`);
  const weighted = new Float32Array(heads * tokens * headDim);
  for (let head = 0; head < heads; head++) {
    for (let token = 0; token < tokens; token++) {
      const attention = terms.attention[(image * heads + head) * tokens + token];
      const from = ((image * tokens + token) * heads + head) * headDim;
      const to = (head * tokens + token) * headDim;
      for (let i = 0; i < headDim; i++) weighted[to + i] = attention * terms.values[from + i];
    }
  }
  const start = layer * heads * headDim * embedDim;
  const matrix = M.subarray(start, start + heads * headDim * embedDim);
  const products = await matmul(
    { data: weighted, dims: [heads, tokens, headDim] },
    { data: matrix, dims: [heads, headDim, embedDim] },
  );
  const constant = constantPart(geometry, mu[image], sigma[image], layer);
  const result = new Float32Array(tokens * heads * embedDim);
  for (let head = 0; head < heads; head++) {
    for (let token = 0; token < tokens; token++) {
      const from = (head * tokens + token) * embedDim;
      const to = (token * heads + head) * embedDim;
      for (let d = 0; d < embedDim; d++) {
        result[to + d] = (products[from + d] / sigma[image] + constant[d] / tokens) / norm[image];
      }
    }
  }
  return result;
}
