import type { LanguageConfig, TextConfig } from "../checkpoint/model-config.ts";
import type { TensorRef } from "../checkpoint/safetensors.ts";
import type { LanguageNorm, LanguageWeights } from "../checkpoint/weight-roles.ts";
import { attend, attentionWeights } from "./attention.ts";
import { type Graph, NONE, type Value } from "./graph.ts";
import { endOf, firstOf, outputLanguageParts, type Reading } from "./language-parts.ts";
import { exactLinear, linearIn, type Precision } from "./linear.ts";
import { ACTIVATIONS, asRows, type Operators } from "./transformer.ts";

/** ONNX's number for int32, which masks are made of. */
const INT32 = 6;

/** What a language model's graph is asked for: `TextOptions`, and what it may be made of. */
interface LanguageOptions {
  readonly kind: "plain" | "decompose";
  readonly tokenLayers?: readonly number[];
  readonly precision: Precision;
  /** `runtime` by default. */
  readonly operators?: Operators;
}

/**
 * Writes a text tower that is a language model's encoder into a graph; embeddings, [t, D], raw. What is padding takes no part,
 * wherever it stands. In int8, output matrices and what follows the last layer stay in float32.
 *
 * With `decompose` also names what its parts are made of (`language-parts.ts`).
 * @param ids int64 [t, c], c tokens at most the context length
 */
export function emitLanguage(
  g: Graph,
  ids: Value,
  text: TextConfig,
  language: LanguageConfig,
  weights: LanguageWeights,
  { kind, tokenLayers = [], precision, operators = "runtime" }: LanguageOptions,
): Value {
  const { width, heads, headDim, epsilon } = text;
  const linear = linearIn(precision);
  const activate = ACTIVATIONS[operators][text.activation];
  const shape = g.op("Shape", [ids]);
  const unflatten = g.op("Concat", [shape, g.ints([width])], { axis: 0 });
  const padding = g.op("Cast", [g.op("Equal", [ids, g.ints([language.padId])])], { to: INT64 });
  const read = g.op("Sub", [g.ints([1]), padding]);
  const mask = g.op("Cast", [read], { to: INT32 });
  const table = weights.tokenEmbedding;
  const rows = g.op("Gather", [g.stored(table), ids]);
  const embedded = table.dtype === "F32" ? rows : g.toFloat32(rows);
  const { family } = language;
  const words = family === "m2m100" ? g.op("Mul", [embedded, g.scalar(Math.sqrt(width))]) : embedded;
  const { typeEmbedding: type, lnEmbedding } = weights;
  const placed =
    family === "t5" ? words : g.op("Add", [words, positions(g, text, language, weights, shape, read)]);
  const inverses: Value[] = [];
  /** A norm of the residual stream itself, whose deviations parts are divided by. */
  const within = (x: Value, norm: LanguageNorm): Value => {
    const { normed, inverse } = normOf(g, x, norm, epsilon, operators);
    inverses.push(inverse);
    return normed;
  };
  let x = asRows(g, type ? g.op("Add", [placed, g.weight(type)]) : placed, width);
  const writes: Value[] = [x];
  if (lnEmbedding) x = within(x, lnEmbedding);
  // Where embeddings are normalised, norms stand behind what is added; else before what is read.
  const before = (norm: LanguageNorm) => (lnEmbedding ? x : normOf(g, x, norm, epsilon, operators).normed);
  const behind = (sum: Value, norm: LanguageNorm) => (lnEmbedding ? within(sum, norm) : sum);
  const { relative } = weights;
  const bias = relative && relativeBias(g, text, language, relative, shape);
  const attention = { num_heads: heads, ...(family === "t5" && { scale: { float: 1 } }) };
  /** What is added to logits, [t, 1 or H, 1 or c, c]. */
  const withPadding = (bias: Value | undefined) => {
    const hidden = g.op("Mul", [g.toFloat32(padding), g.scalar(LEAST)]);
    const keys = g.op("Unsqueeze", [hidden, g.ints([1, 2])]);
    return bias ? g.op("Add", [bias, keys]) : keys;
  };
  const readings: Reading[] = [];
  for (const [layer, block] of weights.blocks.entries()) {
    const source = before(block.ln1);
    const [query, key, value] = [block.query, block.key, block.value].map((part) =>
      g.op("Reshape", [linear(g, source, part), unflatten]),
    );
    // T5 does not divide its logits.
    const scaled = (asked: Value) =>
      family === "t5" ? g.op("Mul", [asked, g.scalar(Math.sqrt(headDim))]) : asked;
    const z =
      operators === "standard"
        ? attend(g, scaled(query), key, value, text, withPadding(bias))
        : g.op("MultiHeadAttention", [query, key, value, NONE, mask, ...(bias ? [bias] : [])], attention);
    const look = (asked: Value, bias: Value | undefined) =>
      attentionWeights(g, scaled(asked), key, { heads, headDim }, withPadding(bias));
    readings.push({ z, ...(tokenLayers.includes(layer) && { tokens: { query, bias, value, look } }) });
    const attended = exactLinear(g, asRows(g, z, width), block.out);
    x = behind(g.op("Add", [x, attended]), block.ln1);
    const { gate, fc1, fc2 } = block;
    const source2 = before(block.ln2);
    const hidden = gate
      ? g.op("Mul", [activate(g, linear(g, source2, gate)), linear(g, source2, fc1)])
      : activate(g, linear(g, source2, fc1));
    const change = linear(g, hidden, fc2);
    writes.push(change);
    x = behind(g.op("Add", [x, change]), block.ln2);
  }
  if (weights.lnLast) x = within(x, weights.lnLast);
  const tokens = g.op("Reshape", [x, unflatten]);
  const shares = text.pooling === "mean" ? meanShares(g, read) : undefined;
  let pooled = asRows(g, shares ? g.op("MatMul", [shares, tokens]) : firstOf(g, tokens), width);
  for (const [i, { activation, map }] of endOf(weights, language).entries()) {
    if (activation) {
      if (kind === "decompose") g.output(`before.${i}`, pooled);
      pooled = activation === "Gelu" ? ACTIVATIONS[operators].gelu(g, pooled) : g.op("Tanh", [pooled]);
      if (kind === "decompose") g.output(`behind.${i}`, pooled);
    }
    for (const part of map) pooled = exactLinear(g, pooled, part);
  }
  if (kind === "decompose")
    outputLanguageParts(g, text, language, weights, { shares, unflatten, inverses, writes, readings });
  return pooled;
}

/** Its exponential is 0 in float32. */
const LEAST = -1e9;
const INT64 = 7;

/** Layer normalisation, or where the norm has no bias division by the root mean square; and what a row was multiplied by. */
function normOf(
  g: Graph,
  x: Value,
  { weight, bias }: LanguageNorm,
  epsilon: number,
  operators: Operators,
): { normed: Value; inverse: Value } {
  const how = { axis: -1, epsilon: { float: epsilon } };
  if (bias) {
    const [normed, , inverse] = g.ops("LayerNormalization", [x, g.weight(weight), g.weight(bias)], how, 3);
    return { normed, inverse };
  }
  if (operators === "standard") {
    const square = g.op("ReduceMean", [g.op("Mul", [x, x])], { axes: [-1], keepdims: 1 });
    const root = g.op("Sqrt", [g.op("Add", [square, g.scalar(epsilon)])]);
    const normed = g.op("Mul", [g.op("Div", [x, root]), g.weight(weight)]);
    return { normed, inverse: g.op("Div", [g.scalar(1), root]) };
  }
  const [normed, inverse] = g.ops("SimplifiedLayerNormalization", [x, g.weight(weight)], how, 2);
  return { normed, inverse };
}

/**
 * What is added to the logits of tokens by how far apart they stand, [1, H, c, c] ("Exploring the Limits of Transfer Learning with
 * a Unified Text-to-Text Transformer", arXiv 1910.10683, §2.1).
 */
function relativeBias(
  g: Graph,
  { contextLength, heads }: TextConfig,
  { relative }: LanguageConfig,
  table: TensorRef,
  shape: Value,
): Value {
  const { buckets, farthest } = relative!;
  const all = Array.from({ length: contextLength ** 2 }, (_, pair) =>
    bucketOf((pair % contextLength) - Math.floor(pair / contextLength), buckets, farthest),
  );
  const pairs = g.op("Gather", [g.weight(table), g.ints(all)]);
  const square = g.op("Reshape", [pairs, g.ints([1, contextLength, contextLength, heads])]);
  const length = g.op("Slice", [shape, g.ints([1]), g.ints([2])]);
  const size = g.op("Concat", [length, length], { axis: 0 });
  return g.op("Slice", [
    g.op("Transpose", [square], { perm: [0, 3, 1, 2] }),
    g.ints([0, 0]),
    size,
    g.ints([2, 3]),
  ]);
}

/**
 * Row of the table for a token `distance` behind another: the second half is of what stands behind it. Half of a half are single
 * distances; the others grow with the logarithm, up to `farthest`. As PyTorch computes it, in float32.
 */
export function bucketOf(distance: number, buckets: number, farthest: number): number {
  const half = Math.floor(buckets / 2);
  const single = Math.floor(half / 2);
  const away = Math.abs(distance);
  const { fround, log } = Math;
  const share = fround(fround(log(fround(away / single))) / fround(log(farthest / single)));
  const row = away < single ? away : Math.min(half - 1, single + Math.trunc(fround(share * (half - single))));
  return distance > 0 ? half + row : row;
}

/** Rows of the table of positions, [t, c, W] or [c, W]. */
function positions(
  g: Graph,
  { width }: TextConfig,
  { family, padId, positions: count }: LanguageConfig,
  { positionalEmbedding }: LanguageWeights,
  shape: Value,
  read: Value,
): Value {
  const table = positionalEmbedding
    ? g.weight(positionalEmbedding)
    : g.floats(sines(count!, width, padId), [count!, width]);
  if (family === "bert") {
    const length = g.op("Slice", [shape, g.ints([1]), g.ints([2])]);
    return g.op("Slice", [table, g.ints([0]), length]);
  }
  // Padding has the position of its own id; every other token that of the one before it plus one.
  const counted = g.op("Mul", [g.op("CumSum", [read, g.ints([1])]), read]);
  return g.op("Gather", [table, g.op("Add", [counted, g.ints([padId])])]);
}

/** Positions as sines, then cosines, of falling frequency, [positions, width]; none for padding. */
function sines(count: number, width: number, padId: number): Float32Array {
  const half = width / 2;
  return Float32Array.from({ length: count * width }, (_, at) => {
    const [position, i] = [Math.floor(at / width), at % width];
    const angle = position * 10000 ** (-(i % half) / (half - 1));
    if (position === padId) return 0;
    return i < half ? Math.sin(angle) : Math.cos(angle);
  });
}

/** What the mean of what is no padding weighs tokens with, [t, 1, c]: a product follows, since sums depend on how many texts there are. */
function meanShares(g: Graph, read: Value): Value {
  const weights = g.op("Unsqueeze", [g.toFloat32(read), g.ints([1])]);
  const count = g.op("ReduceSum", [weights, g.ints([2])], { keepdims: 1 });
  return g.op("Div", [weights, count]);
}
