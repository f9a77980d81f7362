import { Matrix, pseudoInverse, SingularValueDecomposition } from "ml-matrix";
import { readTensor } from "../checkpoint/tensor-values.ts";
import type { Block } from "../checkpoint/weight-roles.ts";
import { addScaled, dot } from "../math/linear.ts";
import { rowFactor } from "../math/orthonormal.ts";
import { disk } from "../support/disk-bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { ClipModel } from "./clip-model.ts";
import { headRows } from "./geometry.ts";

/*
 * What a head can write, from its weights alone. A token's residual, normalised but not yet scaled, x̂ = (x − mean)/deviation, becomes a
 * value, and the value a contribution (before σ‖e‖ and the attention's weight):
 *
 *     x̂ ↦ x̂·Vᵀ·M_lh,   V = W_V^h·diag(γ₁)  [d_h, W],   M_lh = W_O^h·diag(γ)·P  [d_h, D]
 *
 * a map [W, D] of rank d_h. Its singular vectors on the right are directions in the joint space that the head writes along, those on
 * the left what it reads for that, and a singular value says how strongly. Neither the map nor anything of its size is ever made:
 * with V = A·Q_V and M = B·Q_M (orthonormal rows) its singular values are those of the core AᵀB, [d_h, d_h].
 */

/** The singular value decomposition of one head's map, strongest direction first. */
export interface HeadDirections {
  /** `[r]`: σ_k. r is d_h, unless rows of M_lh are sums of others. */
  readonly values: Float64Array;
  /** `[r, D]`: orthonormal directions in the joint space; together they span what the head's z can write. */
  readonly writes: Float64Array;
  /** `[r, d_h]`: M_lh·v_k, so that z·M_lh = Σ_k (z·M_lh·v_k)·v_k. */
  readonly seen: Float64Array;
  /** `[r, d_h]`: t_k with t_k·M_lh = v_k, so that z − (z·M_lh·v_k)·t_k writes the same but for v_k. Computed when asked for. */
  outputs(): Float64Array;
  /** `[r, W]`: orthonormal directions of the normalised residual; of a σ of 0 they say nothing. Computed when asked for. */
  reads(): Float64Array;
}

/** The directions of heads of a model, one at a time. Heads of one layer after another are cheapest. */
export type DirectionsOf = (layer: number, head: number) => Promise<HeadDirections>;

/** What of a model its directions follow from. */
export type DirectedModel = Pick<ClipModel, "name" | "config" | "checkpoint" | "geometry">;

/**
 * Opens the directions of a model's heads. Weights of one layer are held at a time.
 *
 * A direction has two ends, and which of them is called positive is arbitrary: here that whose largest entry is.
 * @throws `MODEL_UNSUPPORTED` for a model that pools by attention, whose heads write through a map for each head of the pool
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { singularDirections } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { values, writes } = await singularDirections(model)(3, 1);
 * console.log(values.length, values[0].toFixed(3), writes.length === 32 * 128); // → 32 7.026 true
 * ```
 */
export function singularDirections(model: DirectedModel): DirectionsOf {
  const mapOf = headMaps(model);
  return async (layer, head) => {
    const { values, matrix, rows } = await mapOf(layer, head);
    return decomposeMap(values, matrix, rows);
  };
}

/** A head's map as its two factors: x̂·Vᵀ·M. */
export interface HeadMap {
  /** V [m, W]. */
  readonly values: Float64Array;
  /** M [m, D]. */
  readonly matrix: Float64Array;
  /** m: d_h, and one more with a norm behind attention, whose constant no input writes along by itself. */
  readonly rows: number;
}

/** Opens the maps of a model's heads; weights of one layer are held at a time. @throws `MODEL_UNSUPPORTED` */
export function headMaps(model: DirectedModel): (layer: number, head: number) => Promise<HeadMap> {
  requireDirections(model);
  const { geometry, config, checkpoint } = model;
  const { layers, heads, headDim: rows } = geometry;
  const { width, headDim } = config.vision;
  const { blocks } = checkpoint.weights.vision;
  let held: { readonly layer: number; readonly all: Promise<Float32Array> } | undefined;
  return async (layer, head) => {
    if (!blocks[layer] || !(head >= 0 && head < heads))
      throw new RangeError(`no head L${layer}.H${head} among ${layers} layers of ${heads}`);
    if (held?.layer !== layer) held = { layer, all: valueMatrix(blocks[layer], width) };
    const values = new Float64Array(rows * width);
    values.set((await held.all).subarray(head * headDim * width, (head + 1) * headDim * width));
    return { values, matrix: Float64Array.from(headRows(geometry, layer, head)), rows };
  };
}

/** Sees that a model's heads have directions. @throws `MODEL_UNSUPPORTED` */
export function requireDirections({ name, geometry }: Pick<DirectedModel, "name" | "geometry">): void {
  if (geometry.pool)
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${name} pools by attention: a head writes through another map for each of the pool's ${geometry.pool.heads} heads, not through one`,
      { hint: "Describe its heads over images instead: `textspan --index`." },
    );
}

/** W_V of all heads, [W, W], with what is multiplied before and behind it folded in: γ of the norm before, γ of one over the heads. */
async function valueMatrix(
  { value, ln1, postNorm, attentionNorm }: Block,
  width: number,
): Promise<Float32Array> {
  const matrix = await readTensor(disk, value.weight);
  if (!postNorm) {
    const gamma = await readTensor(disk, ln1.weight);
    for (let at = 0; at < matrix.length; at++) matrix[at] *= gamma[at % width];
  }
  if (attentionNorm) {
    const gamma = await readTensor(disk, attentionNorm.weight);
    for (let at = 0; at < matrix.length; at++) matrix[at] *= gamma[Math.floor(at / width)];
  }
  return matrix;
}

/**
 * The singular value decomposition of Vᵀ·M through its core.
 * @param values V [m, W]
 * @param matrix M [m, D]
 */
export function decomposeMap(values: Float64Array, matrix: Float64Array, m: number): HeadDirections {
  const [A, B] = [rowFactor(values, m), rowFactor(matrix, m)];
  const [W, D] = [values.length / m, matrix.length / m];
  const { rows: q, columns: r } = { rows: A.L.columns, columns: B.L.columns };
  // [m, r]: AᵀB, with rows of zeros where V has fewer directions than rows.
  const core = Matrix.zeros(m, Math.max(1, r));
  for (let i = 0; i < q; i++) {
    for (let j = 0; j < r; j++) {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += A.L.data[k * q + i] * B.L.data[k * r + j];
      core.set(i, j, sum);
    }
  }
  const {
    diagonal,
    leftSingularVectors: left,
    rightSingularVectors: right,
  } = new SingularValueDecomposition(core);
  const writes = new Float64Array(r * D);
  const seen = new Float64Array(r * m);
  const signs = new Float64Array(r);
  for (let k = 0; k < r; k++) {
    const turn = Float64Array.from(right.getColumn(k));
    const write = B.span(turn);
    signs[k] = largestEntry(write) < 0 ? -1 : 1;
    addScaled(writes.subarray(k * D, (k + 1) * D), signs[k], write);
    // M·v_k = B·Q·v_k.
    for (let i = 0; i < m; i++) seen[k * m + i] = signs[k] * dot(B.L.data, turn, i * r);
  }
  return {
    ...{ values: Float64Array.from(diagonal).subarray(0, r), writes, seen },
    outputs() {
      // M = B·Q and v_k = turn·Q, so that t_k·B = turn.
      const inverse = pseudoInverse(Matrix.from1DArray(m, r, Array.from(B.L.data)));
      const all = new Float64Array(r * m);
      for (let k = 0; k < r; k++) {
        const turn = Float64Array.from(right.getColumn(k));
        for (let i = 0; i < m; i++)
          for (let j = 0; j < r; j++) all[k * m + i] += signs[k] * turn[j] * inverse.get(j, i);
      }
      return all;
    },
    reads() {
      const all = new Float64Array(r * W);
      for (let k = 0; k < r; k++) {
        const read = A.span(Float64Array.from(left.getColumn(k)).subarray(0, q));
        addScaled(all.subarray(k * W, (k + 1) * W), signs[k], read);
      }
      return all;
    },
  };
}

const largestEntry = (values: Float64Array): number =>
  values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
