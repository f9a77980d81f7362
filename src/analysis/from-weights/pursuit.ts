/**
 * Directions as sparse, non-negative sums of texts: orthogonal matching pursuit with a term for coherence, "COMP" of "From Weights to
 * Concepts: Data-Free Interpretability of CLIP via Singular Vector Decomposition" (SITH; Gentile et al., 2026, arXiv 2603.24653). Of
 * what is left of a direction, r, the next text is
 *
 *     argmax_i  r·t_i + λ·mean_{j chosen} t_j·t_i
 *
 * and after each the coefficients of all texts chosen are fitted again, none of them negative. With λ = 0 it is non-negative
 * orthogonal matching pursuit.
 */
import { addScaled, dot, norm } from "../../math/linear.ts";
import { nonNegativeLeastSquares } from "../../math/non-negative.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import { transpose } from "../textspan/row-space.ts";

/** How directions are described by texts. */
export interface PursuitOptions {
  /** Texts a direction, at most. Default: 5. */
  readonly texts?: number;
  /** λ: what likeness to the texts already chosen is worth beside what a text explains. Default: 0.3. */
  readonly coherence?: number;
}

/** The paper's choice. */
export const TEXTS_A_DIRECTION = 5;
/** The paper's choice. */
export const COHERENCE = 0.3;

/** A direction as a sum of texts, that of the largest coefficient first. */
export interface SparseSum {
  /** Places of the texts in the pool. */
  readonly selected: readonly number[];
  /** How much of each, > 0. */
  readonly coefficients: readonly number[];
  /** Cosine of the sum and the direction; 0 where no text points its way. */
  readonly cosine: number;
}

/** Scores of a batch of directions for all texts: so many numbers at once. */
const SCORES_AT_ONCE = 2 ** 23;

/**
 * Describes each direction by texts.
 * @param texts [t, D], of length 1
 * @param directions [n, D], of length 1
 * @returns a sum for each direction
 */
export async function coherentPursuit(
  algebra: Algebra,
  texts: DenseMatrix,
  directions: DenseMatrix,
  options: PursuitOptions = {},
): Promise<SparseSum[]> {
  const D = texts.columns;
  if (texts.rows === 0 || directions.rows === 0)
    return Array.from({ length: directions.rows }, () => ({ selected: [], coefficients: [], cosine: 0 }));
  const columns = transpose(texts);
  const atOnce = Math.max(1, Math.floor(SCORES_AT_ONCE / texts.rows));
  const sums: SparseSum[] = [];
  for (let start = 0; start < directions.rows; start += atOnce) {
    const end = Math.min(directions.rows, start + atOnce);
    const some = Array.from({ length: end - start }, (_, i) =>
      directions.data.subarray((start + i) * D, (start + i + 1) * D),
    );
    sums.push(...(await pursue(algebra, texts, columns, some, options)));
  }
  return sums;
}

/** What is known of one direction while texts are chosen. */
interface Pursuit {
  readonly direction: Float64Array;
  readonly selected: number[];
  coefficients: Float64Array;
  /** What the texts do not explain, [D]. */
  rest: Float64Array;
  ended: boolean;
}

async function pursue(
  algebra: Algebra,
  texts: DenseMatrix,
  columns: DenseMatrix,
  directions: readonly Float64Array[],
  { texts: most = TEXTS_A_DIRECTION, coherence = COHERENCE }: PursuitOptions,
): Promise<SparseSum[]> {
  const { columns: D, rows: t, data: T } = texts;
  const text = (i: number) => T.subarray(i * D, (i + 1) * D);
  const all: Pursuit[] = directions.map((direction) => ({
    ...{ direction, selected: [], coefficients: new Float64Array() },
    ...{ rest: Float64Array.from(direction), ended: false },
  }));
  for (let step = 0; step < Math.min(most, t); step++) {
    const open = all.filter(({ ended }) => !ended);
    if (open.length === 0) break;
    // r·t_i + λ·mean t_j·t_i is one product.
    const wanted = new Float64Array(open.length * D);
    for (const [i, { rest, selected }] of open.entries()) {
      const row = wanted.subarray(i * D, (i + 1) * D);
      row.set(rest);
      for (const chosen of selected) addScaled(row, coherence / selected.length, text(chosen));
    }
    const scores = await algebra.product({ data: wanted, rows: open.length, columns: D }, columns);
    for (const [i, pursuit] of open.entries()) {
      const row = scores.data.subarray(i * t, (i + 1) * t);
      for (const chosen of pursuit.selected) row[chosen] = Number.NEGATIVE_INFINITY;
      let best = 0;
      for (let at = 1; at < t; at++) if (row[at] > row[best]) best = at;
      if (!(row[best] > 0)) pursuit.ended = true;
      else choose(pursuit, best, text);
    }
  }
  return all.map(sumOf);
}

/** Adds a text, and fits all coefficients again. */
function choose(pursuit: Pursuit, next: number, text: (i: number) => Float64Array): void {
  const { direction, selected } = pursuit;
  selected.push(next);
  const gram = selected.flatMap((a) => selected.map((b) => dot(text(a), text(b))));
  const right = selected.map((a) => dot(text(a), direction));
  pursuit.coefficients = nonNegativeLeastSquares(gram, right);
  pursuit.rest = Float64Array.from(direction);
  for (const [i, a] of selected.entries()) addScaled(pursuit.rest, -pursuit.coefficients[i], text(a));
}

function sumOf({ direction, selected, coefficients, rest }: Pursuit): SparseSum {
  const order = selected.map((_, i) => i).filter((i) => coefficients[i] > 0);
  order.sort((a, b) => coefficients[b] - coefficients[a] || a - b);
  // What is left stands at right angles to the sum, so the sum's length is the cosine.
  const explained = direction.map((value, d) => value - rest[d]);
  return {
    selected: order.map((i) => selected[i]),
    coefficients: order.map((i) => coefficients[i]),
    cosine: order.length === 0 ? 0 : Math.min(1, norm(explained) / norm(direction)),
  };
}
