import type { LanguageConfig, TextConfig } from "../checkpoint/model-config.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import type { LanguageNorm, LanguageWeights, Linear } from "../checkpoint/weight-roles.ts";
import { createGraph, type Graph, type Value } from "./graph.ts";
import { exactLinear } from "./linear.ts";
import { asRows, byToken, identity } from "./transformer.ts";

/*
 * A language model's text tower as a sum. Its norms stand on the residual stream itself where a BERT has them, behind the last layer
 * where others have theirs. With their deviations as the forward pass had them, each is linear, and what belongs to a text is one
 * number a token and norm. So a token i of a term that norms k, k+1, … follow comes to the pooled row as
 *
 *     p_ki·x_i·C·diag(γ_k)·C·diag(γ_k+1)…,      p_ki = w_i/(σ_ki·σ_k+1,i …)
 *
 * with w_i what tokens are pooled with and C what takes the mean off (nothing with root mean squares): numbers of the text times a
 * matrix of the weights. β of a norm is written by the sublayer whose sum it normalises; that of the last norm is shared by all terms.
 */

/** A run of linear maps, behind an activation but for the first. */
export interface EndStep {
  readonly activation?: "Tanh" | "Gelu";
  readonly map: readonly Linear[];
}

/** From the pooled row to the embedding. */
export function endOf({ pooler, projections }: LanguageWeights, { projection }: LanguageConfig): EndStep[] {
  const steps: EndStep[] = [{ map: pooler ? [pooler] : [] }];
  const add = (linear: Linear) => {
    const last = steps.pop()!;
    steps.push({ ...last, map: [...last.map, linear] });
  };
  if (pooler) steps.push({ activation: "Tanh", map: [] });
  for (const [i, linear] of projections.entries()) {
    if (i > 0 && projection === "mlp") steps.push({ activation: "Gelu", map: [] });
    add(linear);
  }
  return steps;
}

/** What nobody looked at is divided by. */
const LEAST_WEIGHT = 1e-30;

/** The norms that stand on the residual stream, in order, and who has their β. */
function streamNorms({ lnEmbedding, blocks, lnLast }: LanguageWeights) {
  const norms: { norm: LanguageNorm; bias: "term" | "heads" | "all" }[] = [];
  if (lnEmbedding) {
    norms.push({ norm: lnEmbedding, bias: "term" });
    for (const { ln1, ln2 } of blocks) norms.push({ norm: ln1, bias: "heads" }, { norm: ln2, bias: "term" });
  }
  if (lnLast) norms.push({ norm: lnLast, bias: "all" });
  return norms;
}

/** The first norm that a layer's attention meets, and its MLP. */
const normsOf = ({ lnEmbedding }: LanguageWeights, layer: number) =>
  lnEmbedding ? { attention: 1 + 2 * layer, mlp: 2 + 2 * layer } : { attention: 0, mlp: 0 };

/**
 * Numbers of a head's z: d_h, then one for the output's bias, if it has one, and one for β of a norm behind it.
 */
const constantsOf = ({ lnEmbedding, blocks }: LanguageWeights): number =>
  (blocks[0].out.bias ? 1 : 0) + (lnEmbedding ? 1 : 0);

/** The first token of each text, [t, c, …] to [t, 1, …]. */
export const firstOf = (g: Graph, tokens: Value): Value =>
  g.op("Slice", [tokens, g.ints([0]), g.ints([1]), g.ints([1])]);

/** What the heads of a layer read. */
export interface Reading {
  /** [t, c, W]. */
  readonly z: Value;
  /** Of a layer whose tokens are wanted: its queries, [t, c, W], bias of relative positions, values, and what queries look at. */
  readonly tokens?: {
    readonly query: Value;
    readonly bias: Value | undefined;
    readonly value: Value;
    readonly look: (query: Value, bias: Value | undefined) => Value;
  };
}

/** What the forward pass had. */
interface Seen {
  /** What tokens are pooled with, [t, 1, c]; absent where the first one is. */
  readonly shares: Value | undefined;
  /** The shape [t, c, W]. */
  readonly unflatten: Value;
  /** What each norm on the stream multiplied rows by, [t·c, 1]. */
  readonly inverses: readonly Value[];
  /** The embedding, and what each MLP wrote, [t·c, W]. */
  readonly writes: readonly Value[];
  readonly readings: readonly Reading[];
}

/**
 * Names what the parts of the pooled row are made of: `z` [t, L, H·(d_h + constants)] and `terms` [t, L+1, E], E being the numbers
 * before the first activation behind it, D where there is none; per layer whose tokens are wanted `attention.<l>` [t, H, c] and
 * `values.<l>` [t, c, H·(d_h + constants)], Σ of whose products is z. Behind activations the graph has named `before.<i>`, `behind.<i>`.
 */
export function outputLanguageParts(
  g: Graph,
  { width, heads, headDim }: TextConfig,
  language: LanguageConfig,
  weights: LanguageWeights,
  { shares, unflatten, inverses, writes, readings }: Seen,
): void {
  const norms = streamNorms(weights);
  const pick = (x: Value) => (shares ? x : firstOf(g, x));
  const perToken = g.op("Concat", [g.op("Slice", [unflatten, g.ints([0]), g.ints([2])]), g.ints([1])], {
    axis: 0,
  });
  const across = [0, 2, 1];
  // p_k, [t, 1, rows that are pooled], from the last norm to the first.
  const p: Value[] = [];
  p[norms.length] = shares ?? g.floats(new Float32Array([1]), [1, 1, 1]);
  for (let k = norms.length - 1; k >= 0; k--) {
    const inverse = g.op("Transpose", [pick(g.op("Reshape", [inverses[k], perToken]))], { perm: across });
    p[k] = g.op("Mul", [p[k + 1], inverse]);
  }
  const first = pick(g.op("Reshape", [writes[0], unflatten]));
  const ones = g.op("Add", [
    g.op("Mul", [g.op("Slice", [first, g.ints([0]), g.ints([1]), g.ints([2])]), g.scalar(0)]),
    g.scalar(1),
  ]);
  /** Σ_i p_ki, [t, 1, 1]. */
  const totals = p.map((shares) => g.op("MatMul", [shares, ones]));
  const pooled = (k: number, x: Value) => g.op("MatMul", [p[k], pick(x)]);

  const zs: Value[] = [];
  for (const [layer, { z, tokens }] of readings.entries()) {
    const k = normsOf(weights, layer).attention;
    const { out } = weights.blocks[layer];
    const constants = [...(out.bias ? [totals[k]] : []), ...(weights.lnEmbedding ? [totals[k + 1]] : [])];
    const own = g.op("Reshape", [pooled(k, z), g.ints([0, 1, heads, headDim])]);
    const size = heads * (headDim + constants.length);
    const withConstants = (rows: Value, numbers: readonly Value[]) =>
      g.op("Reshape", [g.op("Concat", [rows, ...numbers], { axis: 3 }), g.ints([0, -1, size])]);
    const everyHead = (value: Value, shape: Value) =>
      g.op("Expand", [g.op("Unsqueeze", [value, g.ints([3])]), shape]);
    zs.push(
      withConstants(
        own,
        constants.map((value) => everyHead(value, g.ints([1, 1, heads, 1]))),
      ),
    );
    if (!tokens) continue;
    const { query, bias, value, look } = tokens;
    // Where the first token alone is pooled, its row of the bias.
    const ownBias = bias && !shares ? g.op("Slice", [bias, g.ints([0]), g.ints([1]), g.ints([2])]) : bias;
    const seen = look(pick(query), ownBias);
    /** Σ_i p_ki·A_ij, [t, H, 1, c]. */
    const looked = (k: number) => g.op("MatMul", [g.op("Unsqueeze", [p[k], g.ints([1])]), seen]);
    const attention = looked(k);
    g.output(`attention.${layer}`, g.op("Reshape", [attention, g.ints([0, heads, -1])]));
    const byToken = (value: Value) => g.op("Transpose", [value], { perm: [0, 3, 1, 2] });
    const values = g.op("Reshape", [value, g.ints([0, 0, heads, headDim])]);
    // Constants of a head go to tokens as they are looked at, so that attention times these sums to what z has.
    const ratio = (k: number) =>
      byToken(g.op("Div", [looked(k), g.op("Max", [attention, g.scalar(LEAST_WEIGHT)])]));
    const one = g.op("Mul", [byToken(attention), g.scalar(0)]);
    g.output(
      `values.${layer}`,
      withConstants(values, [
        ...(out.bias ? [g.op("Add", [one, g.scalar(1)])] : []),
        ...(weights.lnEmbedding ? [ratio(k + 1)] : []),
      ]),
    );
  }
  g.output("z", g.op("Concat", zs, { axis: 1 }));

  // Terms go through the norms together; each joins them at the first one that it meets.
  const joins = [0, ...readings.map((_, layer) => normsOf(weights, layer).mlp)];
  let terms: Value | undefined;
  let count = 0;
  for (let k = 0; k <= norms.length; k++) {
    for (const [i, write] of writes.entries()) {
      if (joins[i] !== k) continue;
      const row = pooled(k, g.op("Reshape", [write, unflatten]));
      terms = terms ? g.op("Concat", [terms, row], { axis: 1 }) : row;
      count++;
    }
    if (k === norms.length || !terms) continue;
    const { norm, bias } = norms[k];
    terms = g.op("Mul", [norm.bias ? centred(g, terms, 2) : terms, g.weight(norm.weight)]);
    if (!norm.bias || bias !== "term") continue;
    // The last one's sublayer has β.
    const last = Float32Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0));
    const row = g.op("Mul", [totals[k + 1], g.op("Reshape", [g.weight(norm.bias), g.ints([1, 1, width])])]);
    terms = g.op("Add", [terms, g.op("MatMul", [g.floats(last, [1, count, 1]), row])]);
  }
  let rows = asRows(g, terms!, width);
  const [{ map }] = endOf(weights, language);
  for (const { weight } of map) rows = exactLinear(g, rows, { weight });
  const size = map.at(-1)?.weight.shape[0] ?? width;
  g.output("terms", byToken(g, rows, count, size));
}

const centred = (g: Graph, x: Value, axis: number): Value =>
  g.op("Sub", [x, g.op("ReduceMean", [x], { axes: [axis], keepdims: 1 })]);

/**
 * Writes the graph that computes how heads of a language model write, from the weights (no input):
 *
 * - `M` [L, H·(d_h + constants), E]: [W_O^h; b_O/H]·C·diag(γ_k)… and β_k/H behind its norm, through the first linear maps
 * - `b` [1, E]: β of the last norm, and the biases of these maps
 * - `map.<i>` [E_i, E_i+1]: the maps behind each activation
 */
export function languageGeometryGraph(
  { heads, headDim, width }: TextConfig,
  language: LanguageConfig,
  weights: LanguageWeights,
): Uint8Array {
  const g = createGraph("language geometry");
  const row = (vector: TensorRef) => g.op("Reshape", [g.weight(vector), g.ints([1, -1])]);
  const [first, ...steps] = endOf(weights, language);
  let b: Value | undefined = weights.lnLast?.bias ? row(weights.lnLast.bias) : undefined;
  for (const linear of first.map) {
    const moved: Value | undefined = b && exactLinear(g, b, { weight: linear.weight });
    const own = linear.bias && row(linear.bias);
    b = moved && own ? g.op("Add", [moved, own]) : (moved ?? own);
  }
  const through = productOf(g, first.map, width);
  const size = first.map.at(-1)?.weight.shape[0] ?? width;
  g.output("b", b ?? g.floats(new Float32Array(size), [1, size]));
  const norms = streamNorms(weights);
  // R_k: from before norm k on, [W, E].
  const R: Value[] = [];
  R[norms.length] = through;
  for (let k = norms.length - 1; k >= 0; k--) {
    const { norm } = norms[k];
    const scaled = g.op("Mul", [R[k + 1], g.op("Reshape", [g.weight(norm.weight), g.ints([-1, 1])])]);
    R[k] = norm.bias ? centred(g, scaled, 0) : scaled;
  }
  const layers = weights.blocks.map(({ out, ln1 }, layer) => {
    const k = normsOf(weights, layer).attention;
    const matrix = g.op("Gemm", [g.weight(out.weight), R[k]], { transA: 1 });
    const each = (vector: TensorRef, through: Value) => {
      const constant = g.op("Mul", [g.op("MatMul", [row(vector), through]), g.scalar(1 / heads)]);
      return g.op("Expand", [constant, g.ints([heads, 1, size])]);
    };
    const all = [
      g.op("Reshape", [matrix, g.ints([heads, headDim, size])]),
      ...(out.bias ? [each(out.bias, R[k])] : []),
      ...(weights.lnEmbedding && ln1.bias ? [each(ln1.bias, R[k + 1])] : []),
    ];
    const joined = all.length > 1 ? g.op("Concat", all, { axis: 1 }) : all[0];
    return g.op("Reshape", [joined, g.ints([1, heads * (headDim + constantsOf(weights)), size])]);
  });
  g.output("M", g.op("Concat", layers, { axis: 0 }));
  let inner = size;
  for (const [i, { map }] of steps.entries()) {
    g.output(`map.${i}`, productOf(g, map, inner));
    inner = map.at(-1)?.weight.shape[0] ?? inner;
  }
  return g.finish();
}

/** Linear maps in turn, without their biases, as one matrix [in, out]. */
function productOf(g: Graph, maps: readonly Linear[], size: number): Value {
  if (maps.length === 0) return g.floats(identity(size), [size, size]);
  const [first, ...others] = maps;
  const start = g.op("Transpose", [g.weight(first.weight)], { perm: [1, 0] });
  return others.reduce(
    (matrix, { weight }) => g.op("Gemm", [matrix, g.weight(weight)], { transB: 1 }),
    start,
  );
}
