import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { Block, Norm, Pool, VisionWeights } from "../checkpoint/weight-roles.ts";
import { attentionWeights } from "./attention.ts";
import type { Graph, Value } from "./graph.ts";
import { exactLinear } from "./linear.ts";
import {
  ACTIVATIONS,
  asRows,
  byToken,
  layerNorm,
  type Moments,
  moments,
  type Operators,
  project,
  scaledProjection,
} from "./transformer.ts";

/*
 * From the last layer's tokens to the embedding. Whatever the pooling is, what is pooled is linear in the tokens once the
 * weights are as the forward pass had them, so every term of the residual stream is pooled by the same weights:
 *
 *     pooled_p = Σ_i w_pi·x_i        p: heads of the pool; one for all but attention pooling
 */

/** The weights that tokens are pooled with, and what the last norm divides by. */
export interface Readout {
  /** Tokens' weights, [1 or b, P, N]. */
  readonly weights: Value;
  /** [b, 1]: what the last norm divides the pooled row by, where that is not the row's own deviation. */
  readonly deviation?: Value;
}

/** Pools a term that every token has: [b, N, W] to [b, P, W]. */
export const take = (g: Graph, { weights }: Readout, term: Value): Value => g.op("MatMul", [weights, term]);

/** How pooled queries of a layer look at its tokens: [b, H, N, N] to [b, H, P, N]. */
export const takeAttention = (g: Graph, { weights }: Readout, attention: Value): Value =>
  g.op("MatMul", [g.op("Unsqueeze", [weights, g.ints([1])]), attention]);

/** 1 for patches over their number, 0 for the CLS token: [1, 1, N]. */
function evenWeights(g: Graph, { vision: { tokens, prefix, grid } }: ModelConfig): Value {
  const weights = new Float32Array(tokens).fill(1 / (grid * grid));
  weights.fill(0, 0, prefix);
  return g.floats(weights, [1, 1, tokens]);
}

/**
 * Σ_i w_pi of [b, P, N]: [b, P, 1]. A product, whose bits do not depend on b as those of a reduction may.
 */
const sumOf = (g: Graph, weights: Value, { vision: { tokens } }: ModelConfig): Value =>
  g.op("MatMul", [weights, g.floats(new Float32Array(tokens).fill(1), [tokens, 1])]);

/** The mean over patches, before the last norm. */
export const meanThenNorm = (g: Graph, config: ModelConfig): Readout => ({ weights: evenWeights(g, config) });

/**
 * The mean over patches, after the last norm: mean_i (x_i − μ_i)/σ_i is (x − μ)/σ of the row x = Σ w_i·x_i with
 * w_i = σ/(N·σ_i), σ being the harmonic mean of all σ_i.
 * @param x [b, N, W]
 */
export function normThenMean(g: Graph, config: ModelConfig, lnPost: Norm, x: Value): Readout {
  const { inverse } = moments(g, x, lnPost, config.vision.epsilon);
  const shares = g.op("Mul", [evenWeights(g, config), g.op("Reshape", [inverse, g.ints([0, 1, -1])])]);
  const sum = sumOf(g, shares, config);
  return {
    weights: g.op("Div", [shares, sum]),
    deviation: g.op("Reshape", [g.op("Div", [g.scalar(1), sum]), g.ints([-1, 1])]),
  };
}

/** Attention pooling, frozen: what each of its heads looks at, over the deviation of what it looks at. */
export interface PoolReadout extends Readout {
  /** [b, P, 1]: Σ_i A_pi·μ_i/σ_i. */
  readonly shift: Value;
  /** [b, P, 1]: Σ_i A_pi/σ_i. */
  readonly scale: Value;
  /** What the pool made of the tokens: [b, width of the pool]. */
  readonly pooled: Value;
  /** [b, 1] each: mean and inverse deviation of `pooled`, where a last norm follows. */
  readonly last?: Moments;
}

/**
 * Runs the pool.
 * @param x the last residual, [b, N, W]
 */
export function attentionReadout(
  g: Graph,
  config: ModelConfig,
  lnPost: Norm,
  pool: Pool,
  x: Value,
): PoolReadout {
  const { vision } = config;
  const { epsilon, tokens, width } = vision;
  const { heads, inner } = poolSizes(vision.pool?.heads ?? 1, pool);
  const normed = asRows(g, layerNorm(g, x, lnPost, epsilon), width);
  const key = byToken(g, exactLinear(g, normed, pool.key), tokens, inner);
  const value = byToken(g, exactLinear(g, normed, pool.value), tokens, inner);
  const query = byToken(g, exactLinear(g, latentOf(g, pool, epsilon, inner), pool.query), 1, inner);
  // [b, P, 1, N]: the query is the same for every image.
  const attention = attentionWeights(g, query, key, { heads, headDim: inner / heads });
  const perHead = g.op("MatMul", [
    attention,
    g.op("Transpose", [g.op("Reshape", [value, g.ints([0, tokens, heads, inner / heads])])], {
      perm: [0, 2, 1, 3],
    }),
  ]);
  const read = g.op("Reshape", [perHead, g.ints([-1, inner])]);
  const pooled = exactLinear(g, read, pool.out);
  const { mean, inverse } = moments(g, x, lnPost, epsilon);
  const weights = g.op("Mul", [
    g.op("Reshape", [attention, g.ints([0, heads, tokens])]),
    g.op("Reshape", [inverse, g.ints([0, 1, -1])]),
  ]);
  return {
    weights,
    shift: g.op("MatMul", [weights, mean]),
    scale: sumOf(g, weights, config),
    pooled,
    ...(pool.lastNorm && { last: moments(g, pooled, pool.lastNorm, epsilon) }),
  };
}

/** The pool's query before its projection: [1, inner]. */
function latentOf(g: Graph, { latent, latentNorm }: Pool, epsilon: number, inner: number): Value {
  const row = g.op("Reshape", [g.weight(latent), g.ints([1, inner])]);
  return latentNorm ? layerNorm(g, row, latentNorm, epsilon) : row;
}

const poolSizes = (heads: number, { out }: Pool) => ({ heads, inner: out.weight.shape[1] });

/** The embedding of what was pooled: through the pool's MLP or last norm, and the projection. */
export function poolEmbedding(
  g: Graph,
  { vision }: ModelConfig,
  weights: VisionWeights,
  pool: Pool,
  pooled: Value,
  operators: Operators,
): Value {
  const { lastNorm } = pool;
  const normed = lastNorm ? layerNorm(g, pooled, lastNorm, vision.epsilon) : pooled;
  const change = poolMlp(g, vision, pool, pooled, operators);
  return project(g, change ? g.op("Add", [normed, change]) : normed, weights.projection);
}

function poolMlp(
  g: Graph,
  { epsilon, activation }: ModelConfig["vision"],
  { mlp }: Pool,
  pooled: Value,
  operators: Operators,
): Value | undefined {
  if (!mlp) return undefined;
  const hidden = exactLinear(g, layerNorm(g, pooled, mlp.norm, epsilon), mlp.fc1);
  return exactLinear(g, ACTIVATIONS[operators][activation](g, hidden), mlp.fc2);
}

/** What the pool makes of every token if it looks at that token alone: [rows, W] to [rows, D]. */
export function poolEachToken(
  g: Graph,
  config: ModelConfig,
  weights: VisionWeights,
  pool: Pool,
  rows: Value,
  operators: Operators,
): Value {
  const normed = layerNorm(g, rows, weights.lnPost, config.vision.epsilon);
  const pooled = exactLinear(g, exactLinear(g, normed, pool.value), pool.out);
  return poolEmbedding(g, config, weights, pool, pooled, operators);
}

/**
 * What terms of the residual stream write into the embedding through a pool, before ‖e‖, each with a share of the means and of
 * every constant behind them.
 */
export interface PoolMap {
  /** Terms pooled to [b, count, P, W], to [b, count, D]; each bears `share` of the constants. */
  apply(terms: Value, count: number, share: number): Value;
  /** The pool's MLP, [b, 1, D], where there is one. */
  readonly mlp: Value | undefined;
}

/** Makes the map of one forward pass. */
export function poolMap(
  g: Graph,
  config: ModelConfig,
  weights: VisionWeights,
  pool: Pool,
  readout: PoolReadout,
  operators: Operators,
): PoolMap {
  const { vision, embedDim } = config;
  const { width } = vision;
  const { heads, inner } = poolSizes(vision.pool?.heads ?? 1, pool);
  const across = (value: Value) => g.op("Unsqueeze", [value, g.ints([1])]);
  const shift = across(readout.shift);
  // The pool's values, a matrix a head: [P, W, d_p].
  const values = g.op(
    "Transpose",
    [g.op("Reshape", [g.weight(pool.value.weight), g.ints([heads, inner / heads, width])])],
    { perm: [0, 2, 1] },
  );
  const constant = poolConstant(g, pool, inner);
  const mlp = poolMlp(g, vision, pool, readout.pooled, operators);
  return {
    apply(terms, count, share) {
      const centred = g.op("Sub", [terms, g.op("Mul", [shift, g.scalar(share)])]);
      const scaled = g.op("Mul", [centred, g.weight(weights.lnPost.weight)]);
      const moved = g.op("Add", [scaled, times(g, g.weight(weights.lnPost.bias), share)]);
      // [b, P, k, W] × [P, W, d_p]
      const read = g.op("MatMul", [g.op("Transpose", [moved], { perm: [0, 2, 1, 3] }), values]);
      const joined = asRows(g, g.op("Transpose", [read], { perm: [0, 2, 1, 3] }), inner);
      const pooled = g.op("Add", [
        exactLinear(g, joined, { weight: pool.out.weight }),
        times(g, constant, share),
      ]);
      return byToken(g, last(g, weights, pool, readout, pooled, count, share), count, embedDim);
    },
    mlp: mlp && byToken(g, projectOnly(g, mlp, weights), 1, embedDim),
  };
}

const times = (g: Graph, value: Value, factor: number): Value => g.op("Mul", [value, g.scalar(factor)]);

/** b_V·W_O + b_O of the pool, [1, width of the pool]. */
function poolConstant(g: Graph, { value, out }: Pool, inner: number): Value {
  if (!value.bias) return g.op("Reshape", [g.weight(out.bias), g.ints([1, -1])]);
  return exactLinear(g, g.op("Reshape", [g.weight(value.bias), g.ints([1, inner])]), out);
}

/** The last norm, frozen, where there is one, and the projection: [b·count, W of the pool] to [b·count, D]. */
function last(
  g: Graph,
  weights: VisionWeights,
  { lastNorm }: Pool,
  { last: seen }: PoolReadout,
  pooled: Value,
  count: number,
  share: number,
): Value {
  let rows = pooled;
  if (lastNorm && seen) {
    const [size] = lastNorm.weight.shape;
    const [mean, inverse] = [seen.mean, seen.inverse].map((value) => g.op("Unsqueeze", [value, g.ints([1])]));
    const centred = g.op("Sub", [byToken(g, pooled, count, size), times(g, mean, share)]);
    const scaled = g.op("Mul", [g.op("Mul", [centred, inverse]), g.weight(lastNorm.weight)]);
    rows = asRows(g, g.op("Add", [scaled, times(g, g.weight(lastNorm.bias), share)]), size);
  }
  const projected = projectOnly(g, rows, weights);
  const bias = weights.projection?.bias;
  return bias ? g.op("Add", [projected, times(g, g.weight(bias), share)]) : projected;
}

/** x·P of [rows, W] without P's bias. */
function projectOnly(g: Graph, x: Value, { projection }: VisionWeights): Value {
  if (!projection) return x;
  const { weight, transposed } = projection;
  return project(g, x, { weight, transposed });
}

/**
 * One layer's heads as terms of the residual stream: z pooled to [b, P, W], to [b, H, P, W], with each head's share of
 * the output's bias.
 */
export function headTerms(
  g: Graph,
  { vision: { heads, headDim, width } }: ModelConfig,
  { out, attentionScale }: Block,
  { scale }: PoolReadout,
  pooled: Value,
): Value {
  const perHead = g.op("Transpose", [g.op("Reshape", [pooled, g.ints([0, 0, heads, headDim])])], {
    perm: [0, 2, 1, 3],
  });
  const matrices = g.op("Reshape", [
    g.op("Transpose", [g.weight(out.weight)], { perm: [1, 0] }),
    g.ints([heads, headDim, width]),
  ]);
  const written = g.op("MatMul", [perHead, matrices]);
  const bias = g.op("MatMul", [
    g.op("Unsqueeze", [scale, g.ints([1])]),
    g.op("Reshape", [times(g, g.weight(out.bias), 1 / heads), g.ints([1, width])]),
  ]);
  const sum = g.op("Add", [written, bias]);
  return attentionScale ? g.op("Mul", [sum, g.weight(attentionScale)]) : sum;
}

/** What the pool's heads make of a row of theirs: T_p = diag(γ)·W_V^p·W_O^p·P, [P·W, D]. */
export function poolMatrices(
  g: Graph,
  { vision, embedDim }: ModelConfig,
  weights: VisionWeights,
  pool: Pool,
): Value {
  const { width } = vision;
  const { heads, inner } = poolSizes(vision.pool?.heads ?? 1, pool);
  const values = g.op("Reshape", [g.weight(pool.value.weight), g.ints([heads, inner / heads, width])]);
  const out = g.op("Reshape", [
    g.op("Transpose", [g.weight(pool.out.weight)], { perm: [1, 0] }),
    g.ints([heads, inner / heads, -1]),
  ]);
  // [P, W, d_p] × [P, d_p, width of the pool]
  const through = g.op("MatMul", [g.op("Transpose", [values], { perm: [0, 2, 1] }), out]);
  const scaled = g.op("Mul", [
    through,
    g.op("Reshape", [g.weight(weights.lnPost.weight), g.ints([1, width, 1])]),
  ]);
  const matrix = pool.lastNorm
    ? g.op("MatMul", [scaled, scaledProjection(g, pool.lastNorm, weights.projection)])
    : projectOnly(g, asRows(g, scaled, pool.out.weight.shape[0]), weights);
  return g.op("Reshape", [matrix, g.ints([heads * width, embedDim])]);
}
