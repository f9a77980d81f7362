import { dot } from "../math/linear.ts";
import { type ComponentSet, mlpCount, type WeightedHead } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import type { HeadGeometry } from "./geometry.ts";
import { headQ0, type PreparedProbe, poolProbe } from "./head-space.ts";
import type { TokenTerms } from "./token-terms.ts";

/*
 * The one numeric kernel: decomposition × probe × component set, read along components, images or tokens.
 * For a probe v and a head with q = M̃v = [q0, q1, q2, q3]:
 *
 *     score = ( z·q0 + q1 + μ·q2 + σ·q3 ) / ( σ‖e‖ )        summed over the set with weights w_h
 *
 * Sums run in float64 in a fixed order, so a score does not depend on what else is in the batch.
 */

/**
 * Along components: each one's own score for one image. Heads in layer-major order, then MLP terms.
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel, textProbe } from "clip-interpret";
 * import { prepareProbe, scoreComponents } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const probe = prepareProbe(model.geometry, await textProbe(model, "a monkey"));
 * const { heads, mlps } = scoreComponents(model.geometry, probe, scene);
 * console.log(heads.length, mlps.length); // → 16 5
 * ```
 */
export function scoreComponents(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  decomposition: Decomposition,
  image = 0,
): { heads: Float64Array; mlps: Float64Array } {
  const { layers, heads, embedDim } = geometry;
  const others = mlpCount(geometry);
  return {
    heads: Float64Array.from({ length: layers * heads }, (_, i) =>
      scoreHead(geometry, probe, decomposition, image, Math.floor(i / heads), i % heads),
    ),
    mlps: Float64Array.from({ length: others }, (_, index) =>
      dot(decomposition.mlps, probe.v, (image * others + index) * embedDim),
    ),
  };
}

/**
 * Along images: the set's weighted score for each image of the batch.
 *
 * @example
 * ```ts
 * import { decomposeImage, openModel, textProbe } from "clip-interpret";
 * import { allComponents, prepareProbe, scoreImages } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const probe = prepareProbe(model.geometry, await textProbe(model, "a monkey"));
 * const [score] = scoreImages(model.geometry, probe, scene, allComponents(model.geometry));
 * console.log(score.toFixed(4)); // → 0.2085
 * ```
 */
export function scoreImages(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  decomposition: Decomposition,
  set: ComponentSet,
): Float64Array {
  const { embedDim } = geometry;
  const others = mlpCount(geometry);
  return Float64Array.from({ length: decomposition.count }, (_, image) => {
    let score = 0;
    for (const { layer, head, weight } of set.heads) {
      score += weight * scoreHead(geometry, probe, decomposition, image, layer, head);
    }
    for (const { index, weight } of set.mlps) {
      score += weight * dot(decomposition.mlps, probe.v, (image * others + index) * embedDim);
    }
    return score;
  });
}

/**
 * Along tokens: how much of the set's score each token of one image brought, [N], CLS first. The tokens of a
 * head add up to its score:
 *
 *     token(l,h,i)·v = [ A_i·(V_i·q0) + (q1 + μ·q2 + σ·q3)/N ] / (σ‖e‖)
 *
 * MLP terms have no tokens; heads of layers whose token terms were not asked for are an error of the caller.
 * @example
 * ```ts
 * import { decomposeImage, openModel, parseHeads, textProbe } from "clip-interpret";
 * import { prepareProbe, scoreTokens } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const heads = parseHeads(model, "L3");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png", { tokensOf: heads });
 * const probe = prepareProbe(model.geometry, await textProbe(model, "a monkey"));
 * const tokens = scoreTokens(model.geometry, probe, scene, scene.tokens, heads);
 * console.log(tokens.length, tokens[0].toFixed(4)); // → 65 -0.0017
 * ```
 */
export function scoreTokens(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  decomposition: Decomposition,
  tokenTerms: TokenTerms,
  set: ComponentSet,
  image = 0,
): Float64Array {
  if (geometry.whole) return scoreWholeTokens(geometry, probe, decomposition, tokenTerms, set, image);
  const { tokens } = tokenTerms;
  const scale = decomposition.sigma[image] * decomposition.norm[image];
  const scores = new Float64Array(tokens);
  for (const head of set.heads) {
    const q0 = headQ0(geometry, probe, head.layer, head.head);
    const direct = directTokens(geometry, q0, tokenTerms, head, image);
    const share = constantTerm(probe, decomposition, image, head.layer) / tokens;
    for (let token = 0; token < tokens; token++) {
      scores[token] += (head.weight * (direct[token] + share)) / scale;
    }
  }
  return scores;
}

/**
 * What one head wrote at each token of one image because it looked there, [N], CLS first, before σ‖e‖ (with attention
 * pooling ‖e‖) is taken out: a_i·(V_i·q0), or Σ_p a_pi·(V_i·q_p). What a head writes whatever it looks at is not in it.
 * @param q of the head, as {@link tokenProbe} gives it
 */
export function directTokens(
  { heads, headDim, pool }: HeadGeometry,
  q: Float64Array,
  { tokens, layers }: TokenTerms,
  { layer, head }: Omit<WeightedHead, "weight">,
  image: number,
): Float64Array {
  const terms = layers.get(layer);
  if (!terms) throw new RangeError(`no token terms for layer ${layer}`);
  const [rows, width] = pool ? [pool.heads, pool.headDim] : [1, headDim];
  const scores = new Float64Array(tokens);
  for (let token = 0; token < tokens; token++) {
    const from = ((image * tokens + token) * heads + head) * width;
    for (let p = 0; p < rows; p++) {
      const attention = terms.attention[((image * heads + head) * rows + p) * tokens + token];
      scores[token] += attention * dot(terms.values, q.subarray(p * width, (p + 1) * width), from);
    }
  }
  return scores;
}

/**
 * The same where z is whole. With attention pooling each head p of the pool looks at the layer's tokens in its own way,
 *
 *     token(l,h,i)·v = [ Σ_p a_pi·(V_i·q_p) + rest/N ] / ‖e‖,   q_p = O_lh·T_p·v
 *
 * where the rest is what the head writes whatever it looks at: biases and its share of means. Elsewhere values are whole, q is v.
 */
function scoreWholeTokens(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  decomposition: Decomposition,
  tokenTerms: TokenTerms,
  set: ComponentSet,
  image: number,
): Float64Array {
  const { tokens } = tokenTerms;
  const length = decomposition.norm[image];
  const scores = new Float64Array(tokens);
  for (const head of set.heads) {
    const { pool } = geometry;
    const q = pool ? poolProbe(geometry, pool, probe, head.layer, head.head) : probe.v;
    const direct = directTokens(geometry, q, tokenTerms, head, image);
    const whole = scoreHead(geometry, probe, decomposition, image, head.layer, head.head) * length;
    const share = (whole - direct.reduce((sum, value) => sum + value, 0)) / tokens;
    for (let token = 0; token < tokens; token++)
      scores[token] += (head.weight * (direct[token] + share)) / length;
  }
  return scores;
}

function scoreHead(
  geometry: HeadGeometry,
  probe: PreparedProbe,
  decomposition: Decomposition,
  image: number,
  layer: number,
  head: number,
): number {
  const { layers, heads, headDim } = geometry;
  const q0 = headQ0(geometry, probe, layer, head);
  const direct = dot(decomposition.z, q0, ((image * layers + layer) * heads + head) * headDim);
  const scale = decomposition.sigma[image] * decomposition.norm[image];
  return (direct + constantTerm(probe, decomposition, image, layer)) / scale;
}

/** q1 + μ·q2 + σ·q3. */
const constantTerm = (
  probe: PreparedProbe,
  { mu, sigma }: Decomposition,
  image: number,
  layer: number,
): number => probe.q1[layer] + mu[image] * probe.q2 + sigma[image] * probe.q3;
