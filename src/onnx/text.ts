import type { TextConfig } from "../checkpoint/model-config.ts";
import type { LanguageWeights, TextWeights } from "../checkpoint/weight-roles.ts";
import { createGraph, type Graph, NONE, type Value } from "./graph.ts";
import { languageGraph } from "./language.ts";
import { exactLinear, linearIn, type Precision } from "./linear.ts";
import { asRows, attentionChange, layerNorm, mlp, project } from "./transformer.ts";

/**
 * Writes the text tower. Inputs `ids` int64 [t, c] (c tokens at most the context length; of a causal tower what follows
 * the end token changes nothing, any other one reads the whole context) and, where texts are pooled at a token of theirs, `ends`
 * int64 [t], the rows that are pooled in the flattened [t·c]; output `embedding` [t, D], raw. In int8, `out_proj` and the
 * projection stay in float32, as in the image tower.
 */
export function textGraph(
  text: TextConfig,
  weights: TextWeights | LanguageWeights,
  precision: Precision,
): Uint8Array {
  if ("projections" in weights) return languageGraph(text, text.language!, weights, precision);
  const { width, heads, epsilon, causal } = text;
  const g = createGraph("text");
  const linear = linearIn(precision);
  const ids = g.input("ids", "int64", ["texts", "tokens"]);
  const ends = weights.classEmbedding ? undefined : g.input("ends", "int64", ["texts"]);
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
  const mask = weights.classEmbedding ? [NONE, NONE, classMask(g, ids)] : [];
  let x = asRows(g, tokens, width);
  for (const block of weights.blocks) {
    const normed = layerNorm(g, x, block.ln1, epsilon);
    const [query, key, value] = [block.query, block.key, block.value].map((part) =>
      g.op("Reshape", [linear(g, normed, part), unflatten]),
    );
    const z = g.op("MultiHeadAttention", [query, key, value, ...mask], {
      ...{ num_heads: heads, unidirectional: causal ? 1 : 0 },
    });
    x = g.op("Add", [x, attentionChange(g, exactLinear(g, asRows(g, z, width), block.out), block, epsilon)]);
    x = g.op("Add", [x, mlp(g, x, block, text, linear)]);
  }
  const last = ends ? g.op("Gather", [x, ends]) : lastOf(g, g.op("Reshape", [x, unflatten]), width);
  const pooled = layerNorm(g, last, weights.lnFinal, epsilon);
  g.output("embedding", project(g, pooled, weights.projection));
  return g.finish();
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
 * Which keys are read, as what is added to logits, [t, 1, c+1, c+1]: as CoCa's weights were trained, every token with the id 0
 * hides the one behind it, since the mask lay one place too far to the right.
 */
function classMask(g: Graph, ids: Value): Value {
  const hidden = g.toFloat32(g.op("Equal", [ids, g.ints([0])]));
  const shape = g.op("Shape", [ids]);
  const one = g.op("Concat", [g.op("Slice", [shape, g.ints([0]), g.ints([1])]), g.ints([1])], { axis: 0 });
  const first = g.op("Expand", [g.scalar(0), one]);
  const keys = g.op("Mul", [g.op("Concat", [first, hidden], { axis: 1 }), g.scalar(LEAST)]);
  const rows = g.op("Unsqueeze", [keys, g.ints([1, 2])]);
  const length = g.op("Slice", [g.op("Shape", [keys]), g.ints([1]), g.ints([2])]);
  return g.op("Expand", [rows, g.op("Concat", [g.ints([1, 1]), length, g.ints([1])], { axis: 0 })]);
}

/** Its exponential is 0 in float32. */
const LEAST = -1e9;

/** The last token of each text, [t, W]. */
const lastOf = (g: Graph, tokens: Value, width: number): Value =>
  asRows(g, g.op("Slice", [tokens, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])]), width);
