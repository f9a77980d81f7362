import { dot } from "./linear.ts";

/**
 * Solves A·x = b for a symmetric positive definite A, by A = L·Lᵀ.
 * @param matrix [n, n]
 * @returns x for a b, [n] each
 * @throws RangeError when A is not positive definite
 */
export function positiveSolver(matrix: ArrayLike<number>, n: number): (b: ArrayLike<number>) => Float64Array {
  const L = Float64Array.from(matrix);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = L[i * n + j] - dot(L, L, i * n, j * n, j);
      if (j < i) L[i * n + j] = rest / L[j * n + j];
      else if (rest > 0) L[i * n + i] = Math.sqrt(rest);
      else throw new RangeError("the matrix is not positive definite");
    }
  }
  return (b) => {
    const x = Float64Array.from(b);
    for (let i = 0; i < n; i++) x[i] = (x[i] - dot(L, x, i * n, 0, i)) / L[i * n + i];
    for (let i = n - 1; i >= 0; i--) {
      x[i] /= L[i * n + i];
      for (let j = 0; j < i; j++) x[j] -= L[i * n + j] * x[i];
    }
    return x;
  };
}
