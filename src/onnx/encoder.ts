import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { Piece } from "../checkpoint/pieces.ts";
import type { VisionWeights } from "../checkpoint/weight-roles.ts";
import { createGraph, type Graph, type Value } from "./graph.ts";
import type { PlaceWeight } from "./tensors.ts";
import { asRows, type TowerValues } from "./transformer.ts";
import { emitVision } from "./vision.ts";

/** What is taken out of the embedding, and what is put in its place; D numbers each, from the head geometry. */
export interface EmbeddingEdit {
  /** Columns of z [W] that the chosen heads of a layer hold; layers in order. */
  readonly columns: readonly { readonly layer: number; readonly columns: readonly number[] }[];
  /** [columns, D]: w_h·M_h of those columns, in that order. */
  readonly matrix: Float32Array;
  /** Σ w_h·k_l/H. */
  readonly constant: Float32Array;
  /** −Σ w_h·s/(n·H): per μ. */
  readonly perMean: Float32Array;
  /** Σ w_h·b/(n·H): per σ. */
  readonly perDeviation: Float32Array;
  /** What is put in its place. */
  readonly mean: Float32Array;
  /** [L·H]: w_h of every head, of a model that pools by attention; the rest but `mean` is empty then. */
  readonly pooled?: Float32Array;
}

/**
 * Writes an image encoder of standard operators only (opset 17), so that any ONNX runtime runs it. Input `pixels`
 * [b, 3, s, s], normalised; output `embedding` [b, D]:
 *
 *     e/‖e‖ − Σ_h w_h·head_h + mean  =  ( e − (Z·A + c + μ·q2)/σ − q3 ) / ‖e‖ + mean
 *
 * with Z the chosen columns of z. Without an edit, e/‖e‖.
 */
export function encoderGraph(
  config: ModelConfig,
  weights: VisionWeights,
  edit: EmbeddingEdit | undefined,
  placeWeight: PlaceWeight,
  metadata: Readonly<Record<string, string>>,
): Piece[] {
  const g = createGraph("image encoder", placeWeight);
  const tower = emitVision(g, config, weights, {
    ...{ kind: "trimmed", tokenLayers: [], gated: false, precision: "fp32" },
    ...{ attention: "products", operators: "standard" },
  });
  const norm = g.op("ReduceL2", [tower.embedding], { axes: [1], keepdims: 1 });
  const embedding = edit
    ? g.op("Add", [
        g.op("Div", [g.op("Sub", [tower.embedding, written(g, config, tower, edit)]), norm]),
        g.floats(edit.mean, [1, config.embedDim]),
      ])
    : g.op("Div", [tower.embedding, norm]);
  g.output("embedding", embedding, { dims: ["batch", config.embedDim] });
  return g.pieces(metadata);
}

/** (Z·A + c + μ·q2)/σ + q3: what the heads wrote into e, [b, D]. */
function written(
  g: Graph,
  { vision: { epsilon, heads, layers }, embedDim }: ModelConfig,
  { zs, residual, deviation: given }: TowerValues,
  { columns, matrix, constant, perMean, perDeviation, pooled }: EmbeddingEdit,
): Value {
  if (pooled || !residual) {
    const all = g.op("Reshape", [g.op("Concat", zs, { axis: 1 }), g.ints([-1, layers * heads, embedDim])]);
    const weights = g.floats(pooled ?? new Float32Array(layers * heads), [1, 1, layers * heads]);
    return asRows(g, g.op("MatMul", [weights, all]), embedDim);
  }
  const row = (values: Float32Array) => g.floats(values, [1, embedDim]);
  const picked = columns.map(({ layer, columns: of }) =>
    g.op("Gather", [zs[layer], g.ints(of)], { axis: 2 }),
  );
  const width = matrix.length / embedDim;
  const z = asRows(g, g.op("Concat", picked, { axis: 2 }), width);
  const mean = g.op("ReduceMean", [residual], { axes: [1], keepdims: 1 });
  const centred = g.op("Sub", [residual, mean]);
  const variance = g.op("ReduceMean", [g.op("Mul", [centred, centred])], { axes: [1], keepdims: 1 });
  const deviation = given ?? g.op("Sqrt", [g.op("Add", [variance, g.scalar(epsilon)])]);
  const direct = g.op("Gemm", [z, g.floats(matrix, [width, embedDim]), row(constant)]);
  const sum = g.op("Add", [direct, g.op("Mul", [mean, row(perMean)])]);
  return g.op("Add", [g.op("Div", [sum, deviation]), row(perDeviation)]);
}
