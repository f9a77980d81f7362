import type { MatMul } from "../onnx/matmul.ts";
import type { TokenDecomposition } from "./decompose.ts";
import type { Decomposition } from "./decomposition.ts";
import type { HeadGeometry, PoolGeometry } from "./geometry.ts";
import { constantPart } from "./head-space.ts";
import type { LayerTokens } from "./token-terms.ts";

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
  const { layers, heads, headDim, embedDim, M, whole } = geometry;
  if (whole) return z.map((value, at) => value / norm[Math.floor(at / (layers * heads * embedDim))]);
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
  decomposition: TokenDecomposition,
  layer: number,
  image: number,
): Promise<Float32Array> {
  const { heads, headDim, embedDim, M, pool, whole } = geometry;
  const { mu, sigma, norm } = decomposition;
  const { tokens, layers } = decomposition.tokens;
  const terms = layers.get(layer);
  if (!terms) throw new RangeError(`no token terms for layer ${layer}`);
  if (pool) return pooledTokens(matmul, geometry, pool, decomposition, terms, layer, image);
  if (whole) return wholeTokens(geometry, decomposition, terms, layer, image);
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

/** The same where values are contributions themselves: a_i·V_i, and an equal share of what is left of the head. */
function wholeTokens(
  geometry: HeadGeometry,
  decomposition: TokenDecomposition,
  { attention, values }: LayerTokens,
  layer: number,
  image: number,
): Float32Array {
  const { heads, embedDim } = geometry;
  const { tokens } = decomposition.tokens;
  const result = new Float32Array(tokens * heads * embedDim);
  for (let head = 0; head < heads; head++) {
    const direct = new Float32Array(tokens * embedDim);
    for (let token = 0; token < tokens; token++) {
      const a = attention[(image * heads + head) * tokens + token];
      const from = ((image * tokens + token) * heads + head) * embedDim;
      for (let d = 0; d < embedDim; d++) direct[token * embedDim + d] = a * values[from + d];
    }
    spread(result, direct, geometry, decomposition, layer, head, image);
  }
  return result;
}

/** Writes what a head wrote at each token, [N, D], with an equal share of what is left of it, over ‖e‖ into [N, H, D]. */
function spread(
  result: Float32Array,
  direct: Float32Array,
  { layers, heads, embedDim }: HeadGeometry,
  { z, norm, tokens: { tokens } }: TokenDecomposition,
  layer: number,
  head: number,
  image: number,
): void {
  const whole = ((image * layers + layer) * heads + head) * embedDim;
  for (let d = 0; d < embedDim; d++) {
    let rest = z[whole + d];
    for (let token = 0; token < tokens; token++) rest -= direct[token * embedDim + d];
    for (let token = 0; token < tokens; token++)
      result[(token * heads + head) * embedDim + d] =
        (direct[token * embedDim + d] + rest / tokens) / norm[image];
  }
}

/** The same of a model that pools by attention: Σ_p a_pi·V_i·O_lh·T_p, and an equal share of what is left of the head. */
async function pooledTokens(
  matmul: MatMul,
  geometry: HeadGeometry,
  { heads: pools, headDim, width, O, T }: PoolGeometry,
  decomposition: TokenDecomposition,
  { attention, values }: LayerTokens,
  layer: number,
  image: number,
): Promise<Float32Array> {
  const { heads, embedDim } = geometry;
  const { tokens } = decomposition.tokens;
  const result = new Float32Array(tokens * heads * embedDim);
  for (let head = 0; head < heads; head++) {
    const own = new Float32Array(tokens * headDim);
    for (let token = 0; token < tokens; token++) {
      const from = ((image * tokens + token) * heads + head) * headDim;
      own.set(values.subarray(from, from + headDim), token * headDim);
    }
    const from = (layer * heads + head) * headDim * width;
    const matrix = O.subarray(from, from + headDim * width);
    // [N, W]: what a token's value becomes in the residual stream.
    const written = await matmul(
      { data: own, dims: [1, tokens, headDim] },
      { data: matrix, dims: [1, headDim, width] },
    );
    const weighted = new Float32Array(tokens * pools * width);
    for (let token = 0; token < tokens; token++) {
      for (let p = 0; p < pools; p++) {
        const a = attention[((image * heads + head) * pools + p) * tokens + token];
        const to = (token * pools + p) * width;
        for (let i = 0; i < width; i++) weighted[to + i] = a * written[token * width + i];
      }
    }
    const direct = await matmul(
      { data: weighted, dims: [1, tokens, pools * width] },
      { data: T, dims: [1, pools * width, embedDim] },
    );
    spread(result, direct, geometry, decomposition, layer, head, image);
  }
  return result;
}
