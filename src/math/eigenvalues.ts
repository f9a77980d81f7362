/** What can be had of a symmetric matrix without its eigenvectors, in a tenth of the time that those take. */
import { addScaled, dot } from "./linear.ts";

/**
 * All eigenvalues of a symmetric matrix, largest first: Householder's reduction to three diagonals, then QL steps with implicit
 * shifts, as EISPACK's tred1 and tql1 have them. O(n³) and O(n²).
 * @param matrix [n, n]; only its lower half is read
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, beside } = tridiagonal(Float64Array.from(matrix), n);
  qlSteps(diagonal, beside);
  return diagonal.sort().reverse();
}

interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n]: entry i stands between i and i + 1; the last is 0. */
  readonly beside: Float64Array;
}

/** Reduces A to three diagonals with the same eigenvalues; A is overwritten. */
function tridiagonal(A: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    // Row i left of its diagonal becomes [0 … 0, e] by a reflection at v.
    const v = A.subarray(i * n, i * n + i);
    diagonal[i] = A[i * n + i];
    let square = 0;
    for (let k = 0; k < i - 1; k++) square += v[k] * v[k];
    if (square === 0) {
      beside[i - 1] = v[i - 1];
      continue;
    }
    const last = v[i - 1];
    const length = Math.sqrt(square + last * last);
    const e = last > 0 ? -length : length;
    beside[i - 1] = e;
    v[i - 1] = last - e;
    const half = (square + v[i - 1] * v[i - 1]) / 2;
    // p = A·v/half of the block that is left, from its lower half.
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const row = j * n;
      const vj = v[j];
      let sum = A[row + j] * vj;
      for (let k = 0; k < j; k++) {
        const value = A[row + k];
        sum += value * v[k];
        p[k] += value * vj;
      }
      p[j] += sum;
    }
    let along = 0;
    for (let j = 0; j < i; j++) {
      p[j] /= half;
      along += p[j] * v[j];
    }
    along /= 2 * half;
    for (let j = 0; j < i; j++) p[j] -= along * v[j];
    for (let j = 0; j < i; j++) {
      const row = j * n;
      const [vj, pj] = [v[j], p[j]];
      for (let k = 0; k <= j; k++) A[row + k] -= vj * p[k] + pj * v[k];
    }
  }
  diagonal[0] = A[0];
  return { diagonal, beside };
}

/** Turns the diagonal into the eigenvalues. */
function qlSteps(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let l = 0; l < n; ) {
    let m = l;
    while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
    if (m === l) {
      l++;
      continue;
    }
    let g = (d[l + 1] - d[l]) / (2 * e[l]);
    let r = Math.hypot(g, 1);
    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    let [s, c, p] = [1, 1, 0];
    let i = m - 1;
    for (; i >= l; i--) {
      const f = s * e[i];
      const b = c * e[i];
      r = Math.sqrt(f * f + g * g);
      e[i + 1] = r;
      if (r === 0) {
        d[i + 1] -= p;
        break;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1] - p;
      r = (d[i] - g) * s + 2 * c * b;
      p = s * r;
      d[i + 1] = g + p;
      g = c * r - b;
    }
    if (i < l) {
      d[l] -= p;
      e[l] = g;
    }
    e[m] = 0;
  }
}

/** Rows whose sums go on side by side: one sum alone waits for each of its additions. */
const SIDE_BY_SIDE = 4;

/**
 * Whether every eigenvalue is above a floor: whether the matrix less the floor has a Cholesky factor.
 * @param matrix [n, n], symmetric
 */
export function isAbove(matrix: Float64Array, n: number, floor: number): boolean {
  const L = matrix.slice();
  for (let first = 0; first < n; first += SIDE_BY_SIDE) {
    const end = Math.min(n, first + SIDE_BY_SIDE);
    if (end - first === SIDE_BY_SIDE) fourRows(L, n, first);
    for (let i = first; i < end; i++) {
      const row = L.subarray(i * n, i * n + i);
      const from = end - first === SIDE_BY_SIDE ? first : 0;
      for (let j = from; j < i; j++) row[j] = (row[j] - dot(row, L, 0, j * n, j)) / L[j * n + j];
      const square = L[i * n + i] - floor - dot(row, row);
      if (!(square > 0)) return false;
      L[i * n + i] = Math.sqrt(square);
    }
  }
  return true;
}

/** The factor's entries left of the diagonal block in four rows, from `first` on. */
function fourRows(L: Float64Array, n: number, first: number): void {
  const [a, b, c, d] = [first * n, (first + 1) * n, (first + 2) * n, (first + 3) * n];
  for (let j = 0; j < first; j++) {
    const of = j * n;
    let [p, q, r, s] = [0, 0, 0, 0];
    for (let k = 0; k < j; k++) {
      const value = L[of + k];
      p += L[a + k] * value;
      q += L[b + k] * value;
      r += L[c + k] * value;
      s += L[d + k] * value;
    }
    const pivot = L[of + j];
    L[a + j] = (L[a + j] - p) / pivot;
    L[b + j] = (L[b + j] - q) / pivot;
    L[c + j] = (L[c + j] - r) / pivot;
    L[d + j] = (L[d + j] - s) / pivot;
  }
}

/**
 * Columns of a Cholesky factor with pivots: A is the sum of their outer products and of what they leave.
 * @param matrix [n, n], symmetric, with no eigenvalue below 0
 * @param least ends when the trace of what they leave is no larger
 * @returns at most n columns, [n] each
 */
export function choleskyFactor(matrix: Float64Array, n: number, least: number): Float64Array[] {
  const diagonal = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
  const columns: Float64Array[] = [];
  while (columns.length < n && diagonal.reduce((sum, value) => sum + Math.max(0, value), 0) > least) {
    const pivot = diagonal.indexOf(Math.max(...diagonal));
    const column = matrix.slice(pivot * n, (pivot + 1) * n);
    for (const earlier of columns) addScaled(column, -earlier[pivot], earlier);
    const root = Math.sqrt(diagonal[pivot]);
    for (let i = 0; i < n; i++) {
      column[i] /= root;
      diagonal[i] -= column[i] * column[i];
    }
    diagonal[pivot] = 0;
    columns.push(column);
  }
  return columns;
}
