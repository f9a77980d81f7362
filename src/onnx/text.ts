import type { TextConfig } from "../checkpoint/model-config.ts";
import type { Piece } from "../checkpoint/pieces.ts";
import type { LanguageWeights, TextWeights } from "../checkpoint/weight-roles.ts";
import { attend, attentionWeights } from "./attention.ts";
import { createGraph, type Graph, NONE, type Value } from "./graph.ts";
import { emitLanguage } from "./language.ts";
import { exactLinear, linearIn, type Precision } from "./linear.ts";
import type { PlaceWeight } from "./tensors.ts";
import {
  asRows,
  attentionChange,
  byToken,
  layerNorm,
  mlp,
  type Operators,
  outputParts,
  project,
  type TowerValues,
} from "./transformer.ts";

/** What a text graph is asked for beyond the embedding. */
export interface TextOptions {
  /** `decompose` adds the terms of the decomposition, of texts that are all of one length where the tower is causal. */
  readonly kind: "plain" | "decompose";
  /** Layers whose attention from the pooled token and values per token are wanted (with `decompose`). */
  readonly tokenLayers?: readonly number[];
  readonly precision: Precision;
}

/**
 * Writes the text tower. Inputs `ids` int64 [t, c] (c tokens at most the context length; of a causal tower what follows
 * the end token changes nothing, any other one reads the whole context) and, where texts are pooled at a token of theirs, `ends`
 * int64 [t], the rows that are pooled in the flattened [t·c]; output `embedding` [t, D], raw. In int8, `out_proj` and the
 * projection stay in float32, as in the image tower.
 *
 * With `decompose` also what the image tower's graph has for its pooled token (`visionGraph`): `z` [t, L, W], `residual` [t, W],
 * `terms` [t, L+1, D], and of `tokenLayers`, together since of short texts arrays cost more than what is in them, `attentions`
 * [l·t, H, 1, N] and `values` [l·t, N, W]; N is c, and the class token where there is one; and `heads` [t, D], all that attention
 * added, times γ⊙P: the sum of all heads without another reading of every output matrix. The last layer is computed for the pooled token alone then. Of a causal tower the pooled token is the last.
 */
export function textGraph(
  { text, embedDim }: { readonly text: TextConfig; readonly embedDim: number },
  weights: TextWeights | LanguageWeights,
  options: TextOptions,
): Uint8Array {
  const g = createGraph("text");
  const ids = g.input("ids", "int64", ["texts", "tokens"]);
  if ("projections" in weights) {
    g.output("embedding", emitLanguage(g, ids, text, text.language!, weights, options));
    return g.finish();
  }
  const ends = weights.classEmbedding ? undefined : g.input("ends", "int64", ["texts"]);
  const pooled: Pooled = (x, unflatten) =>
    ends ? g.op("Gather", [x, ends]) : lastOf(g, g.op("Reshape", [x, unflatten]), text.width);
  const parts = options.kind === "decompose";
  const tower = emitText(g, text, weights, ids, pooled, { ...options, parts });
  g.output("embedding", tower.embedding);
  if (parts) outputParts(g, tower, weights.lnFinal, weights.projection, embedDim);
  return g.finish();
}

/** Where a text is pooled whose end nobody gives: at its highest id, or at the first that is this one. */
export type EndRule = "highest" | number;

/**
 * Writes a text encoder of standard operators only (opset 17), so that any ONNX runtime runs it. Input `ids` int64 [t, c], from
 * start to end token and filled up behind it, with padding where the tower is a language model; output `embedding` [t, D], of length 1. The
 * end token is found in the ids.
 */
export function textEncoderGraph(
  { text, embedDim }: { readonly text: TextConfig; readonly embedDim: number },
  weights: TextWeights | LanguageWeights,
  endRule: EndRule,
  placeWeight: PlaceWeight,
  metadata: Readonly<Record<string, string>>,
): Piece[] {
  const g = createGraph("text encoder", placeWeight);
  const ids = g.input("ids", "int64", ["texts", "tokens"]);
  const how = { precision: "fp32", operators: "standard" } as const;
  const embedding =
    "projections" in weights
      ? emitLanguage(g, ids, text, text.language!, weights, { ...how, kind: "plain" })
      : emitText(g, text, weights, ids, pooledByIds(g, ids, text, endRule), { ...how, parts: false })
          .embedding;
  const norm = g.op("ReduceL2", [embedding], { axes: [1], keepdims: 1 });
  g.output("embedding", g.op("Div", [embedding, norm]), { dims: ["texts", embedDim] });
  return g.pieces(metadata);
}

/** Pools texts at a token that is found in their ids. */
function pooledByIds(g: Graph, ids: Value, text: TextConfig, endRule: EndRule): Pooled {
  const { width, pooling } = text;
  const atEnd = pooling === "end" ? endOf(g, ids, endRule, text) : undefined;
  return (x, unflatten) => {
    const tokens = g.op("Reshape", [x, unflatten]);
    return atEnd ? asRows(g, g.op("MatMul", [atEnd, tokens]), width) : lastOf(g, tokens, width);
  };
}

/** 1 at each text's end token, else 0: [t, 1, c]. */
function endOf(g: Graph, ids: Value, rule: EndRule, { contextLength }: TextConfig): Value {
  const marks = rule === "highest" ? ids : g.toFloat32(g.op("Equal", [ids, g.ints([rule])]));
  const end = g.op("ArgMax", [marks], { axis: 1, keepdims: 1 });
  const places = g.ints(Array.from({ length: contextLength }, (_, place) => place));
  const length = g.op("Slice", [g.op("Shape", [ids]), g.ints([1]), g.ints([2])]);
  const own = g.op("Slice", [places, g.ints([0]), length]);
  return g.op("Unsqueeze", [g.toFloat32(g.op("Equal", [own, end])), g.ints([1])]);
}

/** Picks the rows that texts are pooled at, [t, W], of all tokens, [t·c, W]; `unflatten` is the shape [t, c, W]. */
type Pooled = (x: Value, unflatten: Value) => Value;

interface EmitOptions extends Pick<TextOptions, "tokenLayers" | "precision"> {
  /** Whether what the parts are made of is wanted. */
  readonly parts: boolean;
  /** Made of ONNX's own operators alone; attention is products and a softmax then. */
  readonly operators?: Operators;
}

/** Writes the tower into a graph; the outputs of `tokenLayers` are named, the rest is the caller's. */
function emitText(
  g: Graph,
  text: TextConfig,
  weights: TextWeights,
  ids: Value,
  pooled: Pooled,
  { tokenLayers = [], precision, parts, operators = "runtime" }: EmitOptions,
): TowerValues {
  const { width, epsilon, layers } = text;
  const linear = linearIn(precision);
  const shape = g.op("Shape", [ids]);
  // Rows are gathered before they are cast, so that a half-precision table is never copied whole.
  const table = weights.tokenEmbedding;
  const rows = g.op("Gather", [g.stored(table), ids]);
  const embedded = table.dtype === "F32" ? rows : g.toFloat32(rows);
  const length = g.op("Slice", [shape, g.ints([1]), g.ints([2])]);
  const positions = g.op("Slice", [g.weight(weights.positionalEmbedding), g.ints([0]), length]);
  let tokens = g.op("Add", [embedded, positions]);
  if (weights.classEmbedding) tokens = withClass(g, tokens, shape, text, weights);
  const unflatten = g.op("Shape", [tokens]);
  const keys = weights.classEmbedding ? classKeys(g, ids) : undefined;
  const attention = fullAttention(g, text, keys, unflatten, operators);
  const one = (x: Value) => byToken(g, pooled(x, unflatten), 1, width);
  const zs: Value[] = [];
  const terms: Value[] = [];
  const attended: Value[] = [];
  /** Of `tokenLayers`: what the pooled token asks for, [t, W], keys and values. */
  const looks: { asked: Value; key: Value; value: Value }[] = [];
  let x = asRows(g, tokens, width);
  if (parts) terms.push(one(x));
  for (const [layer, block] of weights.blocks.entries()) {
    // Of the last layer nothing but the pooled token is read.
    const alone = parts && layer === layers - 1;
    const normed = layerNorm(g, x, block.ln1, epsilon);
    const [key, value] = [block.key, block.value].map((part) =>
      g.op("Reshape", [linear(g, normed, part), unflatten]),
    );
    const asked = linear(g, alone ? pooled(normed, unflatten) : normed, block.query);
    const query = alone ? byToken(g, asked, 1, width) : g.op("Reshape", [asked, unflatten]);
    const z = alone ? attend(g, query, key, value, text, keys) : attention(query, key, value);
    if (parts) zs.push(alone ? z : one(asRows(g, z, width)));
    const written = exactLinear(g, asRows(g, z, width), block.out);
    const before = alone ? pooled(x, unflatten) : x;
    const added = attentionChange(g, written, block, epsilon);
    if (parts) attended.push(alone ? added : pooled(added, unflatten));
    x = g.op("Add", [before, added]);
    const change = mlp(g, x, block, text, linear, operators);
    if (parts) terms.push(alone ? byToken(g, change, 1, width) : one(change));
    x = g.op("Add", [x, change]);
    if (!tokenLayers.includes(layer)) continue;
    looks.push({ asked: alone ? asked : pooled(asked, unflatten), key, value });
  }
  if (looks.length > 0) outputTokens(g, text, looks, keys);
  const residual = parts ? x : pooled(x, unflatten);
  const embedding = project(g, layerNorm(g, residual, weights.lnFinal, epsilon), weights.projection);
  return { embedding, residual, zs, terms, ...(parts && { attended: g.op("Sum", attended) }) };
}

/** Names what the pooled token looks at in some layers, all computed at once. */
function outputTokens(
  g: Graph,
  { heads, headDim, width }: TextConfig,
  looks: readonly { asked: Value; key: Value; value: Value }[],
  keys: Value | undefined,
): void {
  const layers = looks.length;
  // One layer's texts behind another's, so that each layer lies in one piece: [l·t, …].
  const all = (of: "asked" | "key" | "value") =>
    layers === 1
      ? looks[0][of]
      : g.op(
          "Concat",
          looks.map((look) => look[of]),
          { axis: 0 },
        );
  const bias = keys && layers > 1 ? g.op("Concat", Array<Value>(layers).fill(keys), { axis: 0 }) : keys;
  const asked = byToken(g, all("asked"), 1, width);
  g.output("attentions", attentionWeights(g, asked, all("key"), { heads, headDim }, bias));
  g.output("values", all("value"));
}

/** Attention of every token: ONNX Runtime's own operator, or products with a mask. */
function fullAttention(
  g: Graph,
  text: TextConfig,
  keys: Value | undefined,
  unflatten: Value,
  operators: Operators,
): (query: Value, key: Value, value: Value) => Value {
  const { heads, causal, contextLength } = text;
  if (operators === "runtime") {
    const bias = keys ? [NONE, NONE, forEveryQuery(g, keys)] : [];
    const how = { num_heads: heads, unidirectional: causal ? 1 : 0 };
    return (query, key, value) => g.op("MultiHeadAttention", [query, key, value, ...bias], how);
  }
  const rows = contextLength + (keys ? 1 : 0);
  const later = Float32Array.from({ length: rows * rows }, (_, at) =>
    at % rows > Math.floor(at / rows) ? LEAST : 0,
  );
  const length = g.op("Slice", [unflatten, g.ints([1]), g.ints([2])]);
  const both = g.op("Concat", [length, length], { axis: 0 });
  const mask = causal
    ? g.op("Slice", [g.floats(later, [rows, rows]), g.ints([0, 0]), both, g.ints([0, 1])])
    : undefined;
  const bias = mask && keys ? g.op("Add", [mask, keys]) : (mask ?? keys);
  return (query, key, value) => attend(g, query, key, value, text, bias);
}

/** Tokens with the class token behind them, [t, c+1, W]. It stands behind the whole context, whatever a text's length is. */
function withClass(
  g: Graph,
  tokens: Value,
  shape: Value,
  { width, contextLength }: TextConfig,
  { classEmbedding, positionalEmbedding }: TextWeights,
): Value {
  const place = g.op("Slice", [
    g.weight(positionalEmbedding),
    g.ints([contextLength]),
    g.ints([contextLength + 1]),
  ]);
  const token = g.op("Add", [g.weight(classEmbedding!), place]);
  const texts = g.op("Slice", [shape, g.ints([0]), g.ints([1])]);
  const size = g.op("Concat", [texts, g.ints([1, width])], { axis: 0 });
  return g.op("Concat", [tokens, g.op("Expand", [token, size])], { axis: 1 });
}

/**
 * Which keys are read, as what is added to logits, [t, 1, 1, c+1]: as CoCa's weights were trained, every token with the id 0
 * hides the one behind it, since the mask lay one place too far to the right.
 */
function classKeys(g: Graph, ids: Value): Value {
  const hidden = g.toFloat32(g.op("Equal", [ids, g.ints([0])]));
  const shape = g.op("Shape", [ids]);
  const one = g.op("Concat", [g.op("Slice", [shape, g.ints([0]), g.ints([1])]), g.ints([1])], { axis: 0 });
  const first = g.op("Expand", [g.scalar(0), one]);
  const keys = g.op("Mul", [g.op("Concat", [first, hidden], { axis: 1 }), g.scalar(LEAST)]);
  return g.op("Unsqueeze", [keys, g.ints([1, 2])]);
}

/** The same for each query, [t, 1, c+1, c+1]. */
function forEveryQuery(g: Graph, keys: Value): Value {
  const length = g.op("Slice", [g.op("Shape", [keys]), g.ints([3]), g.ints([4])]);
  return g.op("Expand", [keys, g.op("Concat", [g.ints([1, 1]), length, g.ints([1])], { axis: 0 })]);
}

/** Its exponential is 0 in float32. */
const LEAST = -1e9;

/** The last token of each text, [t, W]. */
const lastOf = (g: Graph, tokens: Value, width: number): Value =>
  asRows(g, g.op("Slice", [tokens, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])]), width);
