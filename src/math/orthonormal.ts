/** Orthonormal directions by Gram-Schmidt, in float64. */
import { addScaled, dot, gram, multiplyLeft, norm } from "./linear.ts";

/** A dense matrix in C order: `data.length` is `rows · columns`. */
interface Dense {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** A row of a matrix counts as a sum of the earlier ones when no more than this share of its length is its own. */
const DEPENDENT = 1e-12;

/** A = L·Q, each row made orthogonal twice: Q [q, D] orthonormal, L [rows, q]. @param matrix [rows, D] */
export function orthonormalRows(matrix: Float64Array, rows: number): { Q: Dense; L: Dense } {
  const D = matrix.length / rows;
  const Q: Float64Array[] = [];
  const L: Float64Array[] = [];
  for (let i = 0; i < rows; i++) {
    const rest = matrix.slice(i * D, (i + 1) * D);
    const coefficients = new Float64Array(rows);
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
  const lower = new Float64Array(rows * q);
  for (const [i, coefficients] of L.entries()) lower.set(coefficients.subarray(0, q), i * q);
  return { Q: { data: flat(Q, D), rows: q, columns: D }, L: { data: lower, rows, columns: q } };
}

/** Vectors made orthogonal to those before them; those that are sums of these are left out. */
export function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const directions: Float64Array[] = [];
  for (const vector of vectors) {
    const whole = norm(vector);
    removeAll(vector, directions);
    const own = norm(vector);
    if (own > DEPENDENT * whole) directions.push(vector.map((value) => value / own));
  }
  return directions;
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

/** Vectors of one length, one after another. */
export function flat(vectors: readonly Float64Array[], length: number): Float64Array {
  const data = new Float64Array(vectors.length * length);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * length);
  return data;
}

/** The rows of a matrix as sums of orthonormal directions. */
export interface RowFactor {
  /** [rows, q]: the matrix is L·Q. */
  readonly L: Dense;
  /** c·Q for a c [q]: [D]. */
  span(c: Float64Array): Float64Array;
}

/** A pivot of a Cholesky factor below this share of its row's square has lost too many digits. */
const SAFE_PIVOT = 1e-8;

/**
 * A = L·Q with L of the matrix's Gram matrix, which takes a tenth of the time of Gram-Schmidt; where rows are near to sums of others,
 * by Gram-Schmidt.
 * @param matrix [rows, D]
 */
export function rowFactor(matrix: Float64Array, rows: number): RowFactor {
  const data = gram(matrix, rows);
  for (let i = 0; i < rows; i++) {
    const square = data[i * rows + i];
    for (let j = 0; j <= i; j++) {
      const rest = data[i * rows + j] - dot(data, data, i * rows, j * rows, j);
      if (j < i) data[i * rows + j] = rest / data[j * rows + j];
      else if (rest > SAFE_PIVOT * square) data[i * rows + i] = Math.sqrt(rest);
      else return slowFactor(matrix, rows);
    }
    data.fill(0, i * rows + i + 1, (i + 1) * rows);
  }
  return {
    L: { data, rows, columns: rows },
    // Q = L⁻¹·A, so c·Q = y·A with Lᵀ·y = c.
    span(c) {
      const y = Float64Array.from(c);
      for (let i = rows - 1; i >= 0; i--) {
        y[i] /= data[i * rows + i];
        for (let j = 0; j < i; j++) y[j] -= data[i * rows + j] * y[i];
      }
      return multiplyLeft(y, matrix);
    },
  };
}

function slowFactor(matrix: Float64Array, rows: number): RowFactor {
  const { Q, L } = orthonormalRows(matrix, rows);
  return { L, span: (c) => (Q.rows === 0 ? new Float64Array(Q.columns) : multiplyLeft(c, Q.data)) };
}
