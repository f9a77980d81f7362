import type { TextConfig } from "../checkpoint/model-config.ts";
import type { TextWeights } from "../checkpoint/weight-roles.ts";
import { createGraph } from "./graph.ts";
import { linearIn, type Precision } from "./linear.ts";
import { asRows, attentionChange, layerNorm, mlp, project } from "./transformer.ts";

/**
 * Writes the text tower. Inputs `ids` int64 [t, c] (c tokens at most the context length; of a causal tower what follows
 * the end token changes nothing, any other one reads the whole context) and `ends` int64 [t], the rows that are pooled in
 * the flattened [t·c]; output `embedding` [t, D], raw. In int8, `out_proj` and the projection stay in float32, as in the
 * image tower.
 */
export function textGraph(text: TextConfig, weights: TextWeights, precision: Precision): Uint8Array {
  const { width, heads, epsilon, causal } = text;
  const g = createGraph("text");
  const linear = linearIn(precision);
  const ids = g.input("ids", "int64", ["texts", "tokens"]);
  const ends = g.input("ends", "int64", ["texts"]);
  const shape = g.op("Shape", [ids]);
  const unflatten = g.op("Concat", [shape, g.ints([width])], { axis: 0 });
  // Rows are gathered before they are cast, so that a half-precision table is never copied whole.
  const table = weights.tokenEmbedding;
  const rows = g.op("Gather", [g.stored(table), ids]);
  const embedded = table.dtype === "F32" ? rows : g.toFloat32(rows);
  const length = g.op("Slice", [shape, g.ints([1]), g.ints([2])]);
  const positions = g.op("Slice", [g.weight(weights.positionalEmbedding), g.ints([0]), length]);
  let x = asRows(g, g.op("Add", [embedded, positions]), width);
  for (const block of weights.blocks) {
    const normed = layerNorm(g, x, block.ln1, epsilon);
    const [query, key, value] = [block.query, block.key, block.value].map((part) =>
      g.op("Reshape", [linear(g, normed, part), unflatten]),
    );
    const z = g.op("MultiHeadAttention", [query, key, value], {
      ...{ num_heads: heads, unidirectional: causal ? 1 : 0 },
    });
    x = g.op("Add", [x, attentionChange(g, asRows(g, z, width), block, epsilon)]);
    x = g.op("Add", [x, mlp(g, x, block, text, linear)]);
  }
  const pooled = layerNorm(g, g.op("Gather", [x, ends]), weights.lnFinal, epsilon);
  g.output("embedding", project(g, pooled, weights.projection));
  return g.finish();
}
