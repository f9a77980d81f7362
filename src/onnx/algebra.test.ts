import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "./algebra.ts";
import { openNodeSession } from "./node-session.ts";

const random = new Random(1);
const matrix = (rows: number, columns: number): DenseMatrix => ({
  ...{ rows, columns },
  data: Float64Array.from({ length: rows * columns }, () => random.between(-1, 1)),
});

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession);
});
afterAll(() => algebra.release());

describe("products in float64", () => {
  const [a, b] = [matrix(37, 23), matrix(23, 11)];

  it("are those of the sums, to float64's rounding", async () => {
    const { data, rows, columns } = await algebra.product(a, b);
    expect([rows, columns]).toEqual([37, 11]);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < 23; k++) sum += a.data[i * 23 + k] * b.data[k * 11 + j];
        expect(data[i * columns + j]).toBeCloseTo(sum, 13);
      }
    }
  });

  it("have a Gram matrix that is XᵀX", async () => {
    const gram = await algebra.gram(a);
    for (let i = 0; i < 23; i++) {
      for (let j = 0; j < 23; j++) {
        let sum = 0;
        for (let k = 0; k < 37; k++) sum += a.data[k * 23 + i] * a.data[k * 23 + j];
        expect(gram.data[i * 23 + j]).toBeCloseTo(sum, 13);
      }
    }
  });

  it("have the same bits on one thread and on two, and a row's do not depend on other rows", async () => {
    const [left, right] = [matrix(1000, 131), matrix(131, 67)];
    const whole = await algebra.product(left, right);
    const single = await createAlgebra(openNodeSession, { threads: 1 });
    expect((await single.product(left, right)).data).toEqual(whole.data);
    expect((await single.gram(left)).data).toEqual((await algebra.gram(left)).data);
    await single.release();
    const some = await algebra.product(
      { data: left.data.slice(131 * 501, 131 * 505), rows: 4, columns: 131 },
      right,
    );
    expect(some.data).toEqual(whole.data.slice(67 * 501, 67 * 505));
  });
});
