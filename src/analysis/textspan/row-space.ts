/**
 * The space that a component's contributions fill, from their moments alone. With contributions X = Z̃·M̃, n rows, and
 * S = Σ [z̃;1][z̃;1]ᵀ: M̃ = L·Q with orthonormal rows Q; the right singular vectors of X are Qᵀ times the eigenvectors of
 * Lᵀ·(Z̃ᵀZ̃)·L, which is at most m × m whatever n and D are.
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { choleskyFactor, isAbove } from "../../math/eigenvalues.ts";
import { gram, norm } from "../../math/linear.ts";
import { flat, orthonormal, orthonormalRows, removeAll } from "../../math/orthonormal.ts";
import { Random } from "../../math/random.ts";
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
  const { numericalRank, basis } = directionsOf(square);
  const kept = Math.min(rank, numericalRank);
  // All directions of Q: there is nothing to project away, so no rotation is needed.
  const whole = kept === own.Q.rows;
  // Of fewer than all, those of the largest eigenvalues.
  const some = () => (kept === numericalRank && basis ? basis : eigen(square).vectors.slice(0, kept));
  const V = whole
    ? identity(kept)
    : transpose({ data: flat(some(), square.rows), rows: kept, columns: square.rows });
  const covariance = whole ? square : await congruence(algebra, V, square);
  const middle = whole ? center : (await algebra.product(row(center), V)).data;
  const meanSquare = trace(square);
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

/** Directions of a second moment [m, m] that are not rounding, in some order. */
interface Directions {
  readonly numericalRank: number;
  /** Orthonormal, [m] each; absent where they are all m dimensions. */
  readonly basis?: readonly Float64Array[];
}

/**
 * Finds them without eigenvectors, which take ten times as long, where the rest is clear of them: where all m dimensions are
 * filled, or where there are fewer images than dimensions. Else they are eigenvectors, that of the largest value first.
 */
function directionsOf(square: DenseMatrix): Directions {
  const { data, rows } = square;
  const least = RANK_TOLERANCE ** 2;
  // The trace is no less than the largest eigenvalue, and no entry is larger than that.
  const floor = least * trace(square);
  if (isAbove(data, rows, floor)) return { numericalRank: rows };
  const largest = data.reduce((most, value) => Math.max(most, value), 0);
  const columns = choleskyFactor(data, rows, least * largest);
  const r = columns.length;
  if (r > 0 && r < rows && isAbove(gram(flat(columns, rows), r), r, floor)) {
    const basis: Float64Array[] = [];
    for (const column of columns) {
      removeAll(column, basis);
      const length = norm(column);
      basis.push(column.map((value) => value / length));
    }
    return { numericalRank: r, basis };
  }
  const { values, vectors } = eigen(square);
  const numericalRank = values.filter((value) => value > least * values[0]).length;
  return { numericalRank, basis: vectors.slice(0, numericalRank) };
}

/** Eigenvalues of a symmetric matrix, largest first, with their vectors. */
function eigen({ data, rows }: DenseMatrix): { values: Float64Array; vectors: Float64Array[] } {
  const found = new EigenvalueDecomposition(Matrix.from1DArray(rows, rows, data), { assumeSymmetric: true });
  const order = found.realEigenvalues.map((_, i) => i);
  order.sort((a, b) => found.realEigenvalues[b] - found.realEigenvalues[a]);
  return {
    values: Float64Array.from(order, (i) => found.realEigenvalues[i]),
    vectors: order.map((i) => Float64Array.from(found.eigenvectorMatrix.getColumn(i))),
  };
}

/** Rounds of the iteration, and directions that are carried beside those wanted, so that these converge. */
const ROUNDS = 30;
const BESIDE = 6;

/**
 * Principal directions of the contributions, those of the largest variance first, by subspace iteration: all eigenvectors of
 * hundreds of dimensions would take seconds.
 * @returns directions [count, D], and the variance along each
 */
export async function principalDirections(
  algebra: Algebra,
  { covariance, basis, rank }: RowSpace,
  most: number,
): Promise<{ readonly directions: DenseMatrix; readonly variances: number[] }> {
  const count = Math.min(most, rank);
  const random = new Random(0);
  let carried = orthonormal(
    Array.from({ length: Math.min(rank, count + BESIDE) }, () =>
      Float64Array.from({ length: rank }, () => random.normal()),
    ),
  );
  const times = async (rows: readonly Float64Array[]) =>
    algebra.product({ data: flat(rows, rank), rows: rows.length, columns: rank }, covariance);
  for (let round = 0; round < ROUNDS; round++) {
    const { data } = await times(carried);
    const turned = orthonormal(carried.map((_, i) => data.slice(i * rank, (i + 1) * rank)));
    // What varies along fewer directions than are carried has no further ones.
    if (turned.length < carried.length) {
      carried = turned.length > 0 ? turned : carried.slice(0, 1);
    } else carried = turned;
  }
  const rows = { data: flat(carried, rank), rows: carried.length, columns: rank };
  const within = await algebra.product(await times(carried), transpose(rows));
  const { values, vectors } = eigen(within);
  const kept = Math.min(count, carried.length);
  const turn = { data: flat(vectors.slice(0, kept), carried.length), rows: kept, columns: carried.length };
  return {
    directions: await algebra.product(await algebra.product(turn, rows), basis),
    variances: [...values.subarray(0, kept)].map((value) => Math.max(0, value)),
  };
}

/** Σ of the diagonal. */
export function trace({ data, rows }: Pick<DenseMatrix, "data" | "rows">): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * rows + i];
  return sum;
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

/** Whether a matrix is the identity. */
export const isIdentity = ({ data, rows, columns }: DenseMatrix): boolean =>
  rows === columns && data.every((value, at) => value === (at % (columns + 1) === 0 ? 1 : 0));

export function transpose({ data, rows, columns }: DenseMatrix): DenseMatrix {
  const turned = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j];
  return { data: turned, rows: columns, columns: rows };
}
