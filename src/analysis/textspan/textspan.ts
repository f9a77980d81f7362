/**
 * TEXTSPAN: texts whose directions explain what varies in a component's contributions over images. Algorithm 1 of
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition" (Gandelsman, Efros, Steinhardt, 2024), from
 * the contributions' moments, so that a step costs O(texts · rank) whatever the number of images.
 *
 * Texts are projected on the row space of the uncentred contributions; then, with C their covariance,
 *
 *     j* = argmax_j var_j          (ties: the lowest index),   var_j = t_jᵀ·C·t_j at first
 *     u  = t_j* less earlier u's, normalised
 *     var_j += (t_j·u)²·uᵀCu − 2(t_j·u)(t_j·Cu),   C ← (I − uuᵀ)·C·(I − uuᵀ)
 *
 * which is the variance of the projections once u is removed from contributions and texts, as the algorithm has it.
 * The step explains uᵀCu / tr C₀ of the variance. Since u is orthogonal to all earlier ones, Cu is C₀u less its parts along
 * these: C itself is never changed.
 *
 * The folder in the order of the paper: `contributions.ts` what components wrote into the images of an index;
 * `row-space.ts` the space that it fills, and its covariance C; here the texts in that space and the greedy choice;
 * `describe-heads.ts` all of it for the heads of a model, `arrays.ts` for arrays from elsewhere. Beside the paper:
 * `chooser.ts` many choices on all cores; `control.ts` what the same choice explains among texts that mean nothing; `stability.ts` and `resample-descriptions.ts` what other images would have brought.
 */
import { addScaled, dot, multiply, norm } from "../../math/linear.ts";
import { removeAll } from "../../math/orthonormal.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import { isIdentity, type RowSpace, rowSpace, transpose } from "./row-space.ts";

/** How TEXTSPAN runs. */
export interface TextspanOptions {
  /** ONNX Runtime's products. */
  readonly algebra: Algebra;
  /** Texts to choose. Default: 20. Fewer come where fewer explain everything. */
  readonly iterations?: number;
  /** Project texts on so many directions of the contributions. Default, and at most: their numerical rank. */
  readonly rank?: number;
}

/** The texts that TEXTSPAN chose for one component. */
export interface Textspan {
  /** Indices of the texts, in order. */
  readonly selected: readonly number[];
  /** Share of the total variance that each step explains. */
  readonly explainedVariance: readonly number[];
  /** [steps, D]: the orthonormal directions u. */
  readonly directions: DenseMatrix;
  /** tr C₀: the mean squared distance of a contribution to the mean contribution. */
  readonly totalVariance: number;
  /** Directions that texts were projected on. */
  readonly rank: number;
  /** The numerical rank of the contributions: what a larger {@link TextspanOptions.rank} is clamped to. */
  readonly numericalRank: number;
  /** [D]: the mean contribution. */
  readonly mean: Float64Array;
}

/**
 * Chooses texts for the contributions that some moments are of.
 *
 * @param moments [m+1, m+1]: Σ [z̃;1][z̃;1]ᵀ over images, unnormalised; an index holds them for every head
 * @param matrix M̃ [m, D] with contribution = z̃·M̃; null where the moments are those of contributions themselves
 * @param texts [t, D]: text embeddings, of unit length by convention; longer ones are preferred
 */
export async function textspan(
  moments: Float64Array,
  matrix: Float64Array | null,
  texts: Float32Array | Float64Array,
  options: TextspanOptions,
): Promise<Textspan> {
  const { algebra, rank, iterations = 20 } = options;
  const space = await rowSpace(algebra, moments, matrix, rank);
  const coordinates = await projectTexts(algebra, space, texts);
  return spanInSpace(algebra, space, coordinates, iterations);
}

/** The same where the row space and the texts in its coordinates, [t, r], are at hand. */
export async function spanInSpace(
  algebra: Algebra,
  space: RowSpace,
  coordinates: DenseMatrix,
  iterations: number,
): Promise<Textspan> {
  const { totalVariance, rank, numericalRank, mean, basis } = space;
  const { selected, variances, directions } = await selectInSpace(algebra, space, coordinates, iterations);
  return {
    selected,
    explainedVariance: variances.map((variance) => variance / totalVariance),
    directions:
      selected.length > 0
        ? await algebra.product(directions, basis)
        : { data: new Float64Array(0), rows: 0, columns: basis.columns },
    ...{ totalVariance, rank, numericalRank, mean },
  };
}

/** [t, r]: texts in the coordinates of a row space; what lies outside of it is dropped. */
export async function projectTexts(
  algebra: Algebra,
  { basis }: Pick<RowSpace, "basis">,
  texts: Float32Array | Float64Array,
): Promise<DenseMatrix> {
  const data = texts instanceof Float64Array ? texts : new Float64Array(texts);
  // Contributions that fill all D dimensions keep their own coordinates.
  if (isIdentity(basis)) return { data, rows: data.length / basis.columns, columns: basis.columns };
  return algebra.product(
    { data, rows: data.length / basis.columns, columns: basis.columns },
    transpose(basis),
  );
}

/** Texts in the order of choice, with the variance and the direction of each step. */
export interface Selection {
  readonly selected: number[];
  /** uᵀCu of each step. */
  readonly variances: number[];
  /** [steps, r]: u. */
  readonly directions: DenseMatrix;
}

/** The search ends when the best text's variance is below this share of the first one's. */
const LEAST_VARIANCE = 1e-10;

/** The greedy part: chooses among texts [t, r] for the contributions of a row space; none where nothing varies. */
export async function selectInSpace(
  algebra: Algebra,
  space: Pick<RowSpace, "totalVariance" | "covariance" | "rank">,
  texts: DenseMatrix,
  iterations: number,
): Promise<Selection> {
  if (space.totalVariance > 0) {
    const [selection] = await selectTogether(algebra, [space.covariance], texts, iterations);
    return selection;
  }
  return nothingOf(space.rank);
}

const nothingOf = (rank: number): Selection => ({
  ...{ selected: [], variances: [] },
  directions: { data: new Float64Array(0), rows: 0, columns: rank },
});

/** A choice under way. */
interface Choice {
  /** C₀ [r, r]: of the contributions as they are. */
  readonly covariance: Float64Array;
  readonly selected: number[];
  readonly variances: number[];
  readonly directions: Float64Array[];
}

/** Products of texts that are made at once: they fit a processor's own memory. */
const PRODUCTS_AT_ONCE = 2 ** 16;

/**
 * The same in any coordinates that hold texts [t, r] and contributions alike, for each of several covariances [r, r] by itself, step by
 * step together: texts are read once a step for all of them.
 */
export async function selectTogether(
  algebra: Algebra,
  covariances: readonly DenseMatrix[],
  texts: DenseMatrix,
  iterations: number,
): Promise<Selection[]> {
  const { data: T, columns: r } = texts;
  // ONNX Runtime multiplies no empty matrix.
  if (T.length === 0) return covariances.map(() => nothingOf(r));
  const many = covariances.length;
  const choices = covariances.map(
    ({ data }): Choice => ({ covariance: data, selected: [], variances: [], directions: [] }),
  );
  /** [t, many]: var_j. */
  const variance = await (many < SHARED_BY ? byProducts : byPairs)(algebra, covariances, texts);
  const nothing = new Float64Array(r);
  const best = new Int32Array(many);
  const most = new Float64Array(many).fill(Number.NEGATIVE_INFINITY);
  /** Keeps the largest variance of each choice, the first of ties, over texts from `start` on that are read in their order. */
  const see = (start: number, end: number) => {
    for (let j = start, at = start * many; j < end; j++)
      for (let i = 0; i < many; i++, at++) {
        if (variance[at] > most[i]) {
          most[i] = variance[at];
          best[i] = j;
        }
      }
  };
  see(0, texts.rows);
  const readAtOnce = Math.ceil(PRODUCTS_AT_ONCE / (2 * many));
  const least = most.map((value) => LEAST_VARIANCE * value);
  for (let step = 0; step < Math.min(iterations, r); step++) {
    const steps = choices.map((choice, i) => (most[i] > least[i] ? stepOf(choice, best[i], T) : undefined));
    if (!steps.some(Boolean)) break;
    const vectors = columnsOf(
      steps.flatMap((taken) => (taken ? [taken.u, taken.Cu] : [nothing, nothing])),
      r,
    );
    const explained = Float64Array.from(steps, (taken) => taken?.explained ?? 0);
    most.fill(Number.NEGATIVE_INFINITY);
    for (let start = 0; start < texts.rows; start += readAtOnce) {
      const end = Math.min(texts.rows, start + readAtOnce);
      // [texts, 2·many]: t_j·u and t_j·Cu of each; 0 where a choice has ended.
      const { data: along } = await algebra.product(rowsOf(texts, start, end), vectors);
      for (let at = start * many, from = 0; from < along.length; at += many)
        for (let i = at; i < at + many; i++, from += 2) {
          const part = along[from];
          variance[i] += part * (part * explained[i - at] - 2 * along[from + 1]);
        }
      see(start, end);
    }
  }
  return choices.map(({ selected, variances, directions }) => {
    const data = new Float64Array(directions.length * r);
    for (const [i, u] of directions.entries()) data.set(u, i * r);
    return { selected, variances, directions: { data, rows: directions.length, columns: r } };
  });
}

/**
 * Covariances from which on it pays to make the products of every two coordinates of a text. Their sums are in another order than those
 * of one choice alone: which text is largest may differ where two are equal but for rounding. What a text explains is computed alike.
 */
const SHARED_BY = 16;

/** t_jᵀ·C·t_j of each text and covariance, [t, covariances]. */
async function byProducts(
  algebra: Algebra,
  covariances: readonly DenseMatrix[],
  texts: DenseMatrix,
): Promise<Float64Array> {
  const { data: T, rows, columns: r } = texts;
  const many = covariances.length;
  const variance = new Float64Array(rows * many);
  for (const [i, covariance] of covariances.entries()) {
    const { data: TC } = await algebra.product(texts, covariance);
    for (let j = 0; j < rows; j++) variance[j * many + i] = dot(T, TC, j * r, j * r, r);
  }
  return variance;
}

/** Texts whose products of coordinates are in memory at once. */
const PRODUCTS_OF = 256;

/** The same as one product, of t_ja·t_jb of all pairs a ≤ b with C_ab + C_ba: half the operations, and no other pass over the texts. */
async function byPairs(
  algebra: Algebra,
  covariances: readonly DenseMatrix[],
  { data: T, rows, columns: r }: DenseMatrix,
): Promise<Float64Array> {
  const many = covariances.length;
  const pairs = (r * (r + 1)) / 2;
  const weights = new Float64Array(pairs * many);
  for (const [i, { data: C }] of covariances.entries()) {
    for (let a = 0, at = i; a < r; a++)
      for (let b = a; b < r; b++, at += many)
        weights[at] = a === b ? C[a * r + a] : C[a * r + b] + C[b * r + a];
  }
  const variance = new Float64Array(rows * many);
  const all = new Float64Array(Math.min(rows, PRODUCTS_OF) * pairs);
  for (let start = 0; start < rows; start += PRODUCTS_OF) {
    const count = Math.min(PRODUCTS_OF, rows - start);
    for (let j = 0, at = 0; j < count; j++) {
      const text = (start + j) * r;
      for (let a = text; a < text + r; a++) for (let b = a; b < text + r; b++) all[at++] = T[a] * T[b];
    }
    const products = { data: all.subarray(0, count * pairs), rows: count, columns: pairs };
    const { data } = await algebra.product(products, { data: weights, rows: pairs, columns: many });
    variance.set(data, start * many);
  }
  return variance;
}

/** Chooses a text; what it explains. */
function stepOf({ covariance, selected, variances, directions }: Choice, best: number, T: Float64Array) {
  const r = Math.sqrt(covariance.length);
  const u = T.slice(best * r, (best + 1) * r);
  removeAll(u, directions);
  const length = norm(u);
  for (let i = 0; i < r; i++) u[i] /= length;
  const Cu = multiply(covariance, u);
  removeAll(Cu, directions);
  const explained = dot(u, Cu);
  selected.push(best);
  variances.push(explained);
  directions.push(u);
  return { u, Cu, explained };
}

const rowsOf = ({ data, columns }: DenseMatrix, start: number, end: number): DenseMatrix => ({
  ...{ data: data.subarray(start * columns, end * columns), rows: end - start, columns },
});

/** Vectors [rows] as the columns of a matrix. */
function columnsOf(vectors: readonly Float64Array[], rows: number): DenseMatrix {
  const columns = vectors.length;
  const data = new Float64Array(rows * columns);
  for (const [k, vector] of vectors.entries())
    for (let i = 0; i < rows; i++) data[i * columns + k] = vector[i];
  return { data, rows, columns };
}

/** The contributions as the chosen directions give them back: mean + Σ ((x − mean)·u)u. @param contributions [n, D] */
export function reconstruct(
  contributions: Float32Array | Float64Array,
  { mean, directions }: Pick<Textspan, "mean" | "directions">,
): Float64Array {
  const D = mean.length;
  const built = new Float64Array(contributions.length);
  const difference = new Float64Array(D);
  for (let at = 0; at < built.length; at += D) {
    for (let d = 0; d < D; d++) difference[d] = contributions[at + d] - mean[d];
    built.set(mean, at);
    for (let step = 0; step < directions.rows; step++) {
      const u = directions.data.subarray(step * D, (step + 1) * D);
      const part = dot(u, difference);
      addScaled(built.subarray(at, at + D), part, u);
    }
  }
  return built;
}
