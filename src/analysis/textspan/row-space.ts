/**
 * The space that a component's contributions fill, from their moments alone. With contributions X = Z̃·M̃, n rows, and
 * S = Σ [z̃;1][z̃;1]ᵀ: M̃ = L·Q with orthonormal rows Q; the right singular vectors of X are Qᵀ times the eigenvectors of
 * Lᵀ·(Z̃ᵀZ̃)·L, which is at most m × m whatever n and D are.
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { addScaled, dot, norm } from "../../math/linear.ts";
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";

/** Contributions of n images in coordinates of the space that they fill; all numbers are per image. */
export interface RowSpace {
  readonly images: number;
  /** r: directions that texts are projected on. */
  readonly rank: number;
  /** Directions whose singular value is above {@link RANK_TOLERANCE} of the largest. */
  readonly numericalRank: number;
  /** [r, D]: orthonormal rows. */
  readonly basis: DenseMatrix;
  /** [m, r]: takes coordinates z̃ into the space. */
  readonly into: DenseMatrix;
  /** [r, r]: covariance of the contributions in the space. */
  readonly covariance: DenseMatrix;
  /** [D]: the mean contribution. */
  readonly mean: Float64Array;
  /** tr C₀ over all D directions; 0 where nothing but rounding varies. */
  readonly totalVariance: number;
}

/** Singular values of the uncentred contributions below this share of the largest are rounding. */
export const RANK_TOLERANCE = 1e-6;
/** A variance below this share of the mean square is what the subtraction of the mean leaves of nothing. */
const VARIANCE_FLOOR = 1e-12;

/**
 * Finds the row space of **uncentred** contributions, as the reference does: on that of centred ones TEXTSPAN picks
 * other texts.
 *
 * @param moments [m+1, m+1]: Σ [z̃;1][z̃;1]ᵀ, unnormalised
 * @param matrix M̃ [m, D]; null for M̃ = I: moments of the contributions themselves
 * @param rank at most so many directions, those of the largest singular values; default: all above rounding
 */
export async function rowSpace(
  algebra: Algebra,
  moments: Float64Array,
  matrix: Float64Array | null,
  rank = Number.POSITIVE_INFINITY,
): Promise<RowSpace> {
  const m = Math.sqrt(moments.length) - 1;
  const images = moments[moments.length - 1];
  const { second, sum } = splitMoments(moments, m, images);
  const own = matrix ? orthonormalRows(matrix, m) : { Q: identity(m), L: identity(m) };
  const square = matrix ? await congruence(algebra, own.L, second) : second;
  const center = matrix ? (await algebra.product(row(sum), own.L)).data : sum;
  const { values, vectors } = eigen(square);
  const numericalRank = values.filter((value) => value > RANK_TOLERANCE ** 2 * values[0]).length;
  const kept = Math.min(rank, numericalRank);
  // All directions of Q: there is nothing to project away, so no rotation is needed.
  const whole = kept === own.Q.rows;
  const V = whole ? identity(kept) : firstColumns(vectors, kept);
  const covariance = whole ? square : await congruence(algebra, V, square);
  const middle = whole ? center : (await algebra.product(row(center), V)).data;
  let meanSquare = 0;
  for (let i = 0; i < square.rows; i++) meanSquare += square.data[i * square.rows + i];
  const variance = meanSquare - center.reduce((total, value) => total + value * value, 0);
  return {
    images,
    rank: kept,
    numericalRank,
    basis: whole ? own.Q : await algebra.product(transpose(V), own.Q),
    into: whole ? own.L : await algebra.product(own.L, V),
    covariance: centred(covariance, middle),
    mean: matrix
      ? (await algebra.product(row(sum), { data: matrix, rows: m, columns: own.Q.columns })).data
      : sum,
    totalVariance: variance > VARIANCE_FLOOR * meanSquare ? variance : 0,
  };
}

/** Second moment [m, m] and mean [m], per image. */
function splitMoments(moments: Float64Array, m: number, images: number) {
  const second = new Float64Array(m * m);
  const sum = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) second[i * m + j] = moments[i * (m + 1) + j] / images;
    sum[i] = moments[i * (m + 1) + m] / images;
  }
  return { second: { data: second, rows: m, columns: m }, sum };
}

/** A second moment less the outer product of the mean. */
export function centred({ data, rows }: DenseMatrix, mean: Float64Array): DenseMatrix {
  const covariance = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) covariance[i * rows + j] = data[i * rows + j] - mean[i] * mean[j];
  }
  return { data: covariance, rows, columns: rows };
}

/** A row of a matrix counts as a sum of the earlier ones when no more than this share of its length is its own. */
const DEPENDENT = 1e-12;

/** M̃ = L·Q by Gram-Schmidt, each row made orthogonal twice: Q [q, D] orthonormal, L [m, q]. */
function orthonormalRows(matrix: Float64Array, m: number): { Q: DenseMatrix; L: DenseMatrix } {
  const D = matrix.length / m;
  const Q: Float64Array[] = [];
  const L: Float64Array[] = [];
  for (let i = 0; i < m; i++) {
    const rest = matrix.slice(i * D, (i + 1) * D);
    const coefficients = new Float64Array(m);
    const length = norm(rest);
    removeAll(rest, Q, coefficients);
    const own = norm(rest);
    if (own > DEPENDENT * length) {
      coefficients[Q.length] = own;
      Q.push(rest.map((value) => value / own));
    }
    L.push(coefficients);
  }
  const q = Q.length;
  const flat = new Float64Array(q * D);
  for (const [i, direction] of Q.entries()) flat.set(direction, i * D);
  const lower = new Float64Array(m * q);
  for (const [i, coefficients] of L.entries()) lower.set(coefficients.subarray(0, q), i * q);
  return { Q: { data: flat, rows: q, columns: D }, L: { data: lower, rows: m, columns: q } };
}

/** Removes orthonormal directions from x, twice; adds what was removed to `removed`. */
export function removeAll(
  x: Float64Array,
  directions: readonly Float64Array[],
  removed?: Float64Array,
): void {
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < directions.length; i++) {
      const direction = directions[i];
      const part = dot(x, direction);
      addScaled(x, -part, direction);
      if (removed) removed[i] += part;
    }
  }
}

/** Eigenvalues of a symmetric matrix, largest first, with their vectors as columns. */
export function eigen({ data, rows }: DenseMatrix): { values: Float64Array; vectors: DenseMatrix } {
  const found = new EigenvalueDecomposition(Matrix.from1DArray(rows, rows, data), { assumeSymmetric: true });
  const order = found.realEigenvalues.map((_, i) => i);
  order.sort((a, b) => found.realEigenvalues[b] - found.realEigenvalues[a]);
  const vectors = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (const [to, from] of order.entries()) vectors[i * rows + to] = found.eigenvectorMatrix.get(i, from);
  }
  const values = Float64Array.from(order, (i) => found.realEigenvalues[i]);
  return { values, vectors: { data: vectors, rows, columns: rows } };
}

/** LᵀSL. */
async function congruence(algebra: Algebra, L: DenseMatrix, S: DenseMatrix): Promise<DenseMatrix> {
  return algebra.product(transpose(L), await algebra.product(S, L));
}

const row = (data: Float64Array): DenseMatrix => ({ data, rows: 1, columns: data.length });

function identity(size: number): DenseMatrix {
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return { data, rows: size, columns: size };
}

export function transpose({ data, rows, columns }: DenseMatrix): DenseMatrix {
  const turned = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j];
  return { data: turned, rows: columns, columns: rows };
}

function firstColumns({ data, rows, columns }: DenseMatrix, count: number): DenseMatrix {
  const first = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) first.set(data.subarray(i * columns, i * columns + count), i * count);
  return { data: first, rows, columns: count };
}
