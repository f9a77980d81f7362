/**
 * A direction as a sparse sum of texts with weights that are not negative: matching pursuit that solves for all weights
 * again after each choice (non-negative orthogonal matching pursuit, Bruckstein, Elad & Zibulevsky, "On the Uniqueness of
 * Nonnegative Sparse Solutions to Underdetermined Systems of Equations", 2008). "Interpreting CLIP with Sparse Linear
 * Concept Embeddings (SpLiCE)" (Bhalla et al. 2024) says why: a text can be in an image, but not less than not in it.
 */
import { addScaled, dot, multiply, norm } from "../math/linear.ts";
import type { DenseMatrix } from "../onnx/algebra.ts";

/** Below this share of the direction's length a text adds nothing. */
const LEAST = 1e-6;

/**
 * At most `count` texts with weights above 0 whose sum comes near a direction, in the order of choice.
 * @param texts [t, D] at length 1
 */
export function pursue(
  texts: DenseMatrix,
  direction: Float64Array,
  count: number,
): [text: number, weight: number][] {
  const { data, columns: D } = texts;
  const least = LEAST * norm(direction);
  const row = (text: number) => data.subarray(text * D, (text + 1) * D);
  let chosen: number[] = [];
  let weights: number[] = [];
  const tried = new Set<number>();
  let rest = Float64Array.from(direction);
  while (tried.size < count) {
    const along = multiply(data, rest);
    let best = -1;
    for (let text = 0; text < along.length; text++)
      if (!tried.has(text) && (best < 0 || along[text] > along[best])) best = text;
    if (best < 0 || !(along[best] > least)) break;
    tried.add(best);
    chosen.push(best);
    weights = nonNegative(chosen.map(row), direction);
    rest = Float64Array.from(direction);
    for (const [i, text] of chosen.entries()) addScaled(rest, -weights[i], row(text));
    // A text that the later ones made needless.
    const kept = weights.map((weight) => weight > 0);
    chosen = chosen.filter((_, i) => kept[i]);
    weights = weights.filter((_, i) => kept[i]);
  }
  return chosen.map((text, i) => [text, weights[i]]);
}

/** Rounds of coordinate descent, and the change that ends them. */
const [ROUNDS, SETTLED] = [200, 1e-9];

/** Weights ≥ 0 of a few vectors of length 1 whose sum is nearest to a target: least squares by coordinate descent. */
function nonNegative(vectors: readonly Float64Array[], target: Float64Array): number[] {
  const k = vectors.length;
  const gram = vectors.map((a) => vectors.map((b) => dot(a, b)));
  const along = vectors.map((a) => dot(a, target));
  const weights = new Array<number>(k).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    let moved = 0;
    for (let i = 0; i < k; i++) {
      let gradient = along[i];
      for (let j = 0; j < k; j++) if (j !== i) gradient -= gram[i][j] * weights[j];
      const value = Math.max(0, gradient / gram[i][i]);
      moved = Math.max(moved, Math.abs(value - weights[i]));
      weights[i] = value;
    }
    if (moved < SETTLED) break;
  }
  return weights;
}
