import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { choleskyFactor, isAbove, symmetricEigenvalues } from "./eigenvalues.ts";
import { Random } from "./random.ts";

/** Σ_k x_k·x_kᵀ of `rank` random vectors, each half as long as the one before. */
function product(n: number, rank: number, shrink: number): Float64Array {
  const random = new Random(n + rank);
  const matrix = new Float64Array(n * n);
  for (let k = 0; k < rank; k++) {
    const x = Float64Array.from({ length: n }, () => random.between(-1, 1));
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j] += x[i] * x[j] * shrink ** k;
  }
  return matrix;
}

describe.each([
  [1, 1, 1],
  [2, 2, 1],
  [5, 2, 1],
  [24, 24, 0.5],
  [60, 17, 0.9],
])("of a symmetric %i × %i matrix of rank %i", (n, rank, shrink) => {
  const matrix = product(n, rank, shrink);
  const { realEigenvalues } = new EigenvalueDecomposition(Matrix.from1DArray(n, n, matrix), {
    assumeSymmetric: true,
  });
  const wanted = Float64Array.from(realEigenvalues).sort().reverse();

  it("every eigenvalue is that of the decomposition with vectors", () => {
    const found = symmetricEigenvalues(matrix, n);
    for (const [i, value] of wanted.entries())
      expect(Math.abs(found[i] - value)).toBeLessThan(1e-14 * n * wanted[0]);
  });

  it("is above what is below its smallest eigenvalue alone", () => {
    const least = wanted[n - 1];
    expect(isAbove(matrix, n, least - 1e-9)).toBe(true);
    expect(isAbove(matrix, n, least + 1e-9)).toBe(false);
  });

  it("a Cholesky factor has its rank in columns, and their outer products are the matrix", () => {
    const columns = choleskyFactor(matrix, n, 1e-13 * wanted[0]);
    if (shrink === 1) expect(columns.length).toBe(rank);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const sum = columns.reduce((total, column) => total + column[i] * column[j], 0);
        expect(Math.abs(sum - matrix[i * n + j])).toBeLessThan(1e-12 * wanted[0]);
      }
    }
  });
});

it("a diagonal matrix has its diagonal for eigenvalues, repeated ones too", () => {
  const matrix = new Float64Array(16);
  for (const [i, value] of [2, -1, 2, 0].entries()) matrix[i * 5] = value;
  expect([...symmetricEigenvalues(matrix, 4)]).toEqual([2, 2, 0, -1]);
});
