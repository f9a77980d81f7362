import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addScaled,
  cosine,
  crossProduct,
  dot,
  gram,
  multiply,
  multiplyLeft,
  norm,
  rowsOf,
} from "./linear.ts";

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });
/** A matrix [rows, columns] with a vector for each of its sides. */
const problem = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }) })
  .chain(({ rows, columns }) => {
    const numbers = (count: number) => fc.array(float, { minLength: count, maxLength: count });
    return fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      matrix: numbers(rows * columns),
      right: numbers(columns),
      left: numbers(rows),
    });
  });

/** Σ of some products, in order: what every function here must give bit for bit. */
const sum = (count: number, term: (i: number) => number) => {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
};

describe("products", () => {
  it("are sums in float64 in the order of the indices, also of parts", () => {
    fc.assert(
      fc.property(problem, ({ rows, columns, matrix, right, left }) => {
        const M = Float32Array.from(matrix);
        const [v, x] = [Float64Array.from(right), Float64Array.from(left)];
        const row = (i: number) => sum(columns, (d) => M[i * columns + d] * v[d]);
        expect([...multiply(M, v)]).toEqual(left.map((_, i) => row(i)));
        expect(dot(M, v, (rows - 1) * columns)).toBe(row(rows - 1));
        expect(dot(v, M, 0, (rows - 1) * columns, columns)).toBe(row(rows - 1));
        expect([...multiplyLeft(x, M)]).toEqual(
          right.map((_, d) => sum(rows, (i) => x[i] * M[i * columns + d])),
        );
        const products = gram(M, rows);
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < rows; j++) {
            const product = sum(columns, (d) => M[i * columns + d] * M[j * columns + d]);
            expect(products[i * rows + j]).toBe(product);
          }
        }
        const some = (i: number) => i !== 1;
        expect([...crossProduct(M, Float32Array.from(left), columns, 1, some)]).toEqual(
          right.map((_, d) => sum(rows, (i) => (some(i) ? M[i * columns + d] * Math.fround(left[i]) : 0))),
        );
      }),
    );
  });

  it("are added to what is there, from where they are asked for", () => {
    const into = Float64Array.of(1, 2);
    addScaled(into, -2, [9, 10, 20], 1);
    expect([...into]).toEqual([-19, -38]);
  });
});

it("lengths, cosines and rows are those of geometry", () => {
  expect(norm([3, 4])).toBe(5);
  expect(cosine([1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2, 15);
  expect(cosine([2, 1], [-4, -2])).toBeCloseTo(-1, 15);
  expect(rowsOf(Float32Array.of(1, 2, 3, 4), 2).map((row) => [...row])).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
