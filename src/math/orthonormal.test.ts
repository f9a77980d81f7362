import { expect, it } from "vitest";
import { dot, multiplyLeft } from "./linear.ts";
import { orthonormalRows, rowFactor } from "./orthonormal.ts";

const rows = Float64Array.from({ length: 4 * 9 }, (_, i) => Math.sin(3 * i * i + i));
/** The third row is the sum of the first two, but for a trace. */
const near = (trace: number) =>
  rows.map((value, at) => (at >= 18 && at < 27 ? rows[at - 18] + rows[at - 9] + trace * value : value));

it.each([
  ["rows of their own", rows, 4],
  ["a row that is all but a sum of others", near(1e-9), 4],
  ["a row that is a sum of others", near(0), 3],
  ["a row of zeros", rows.map((value, at) => (at < 9 ? 0 : value)), 3],
])("a factor gives the matrix back, its rows being orthonormal: %s", (_, matrix, rank) => {
  for (const { L, span } of [rowFactor(matrix, 4), slow(matrix)]) {
    expect(L.columns).toBe(rank);
    const Q = Array.from({ length: rank }, (_, i) =>
      span(Float64Array.from({ length: rank }, (_, j) => (i === j ? 1 : 0))),
    );
    for (let a = 0; a < rank; a++)
      for (let b = 0; b < rank; b++) expect(dot(Q[a], Q[b])).toBeCloseTo(a === b ? 1 : 0, 10);
    for (let i = 0; i < 4; i++) {
      const row = span(L.data.slice(i * rank, (i + 1) * rank));
      for (let d = 0; d < 9; d++) expect(row[d]).toBeCloseTo(matrix[i * 9 + d], 12);
    }
  }
});

const slow = (matrix: Float64Array) => {
  const { Q, L } = orthonormalRows(matrix, 4);
  return { L, span: (c: Float64Array) => multiplyLeft(c, Q.data) };
};
