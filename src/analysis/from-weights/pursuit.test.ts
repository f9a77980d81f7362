import { afterAll, beforeAll, expect, it } from "vitest";
import { norm, unitRows } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { coherentPursuit } from "./pursuit.ts";

const [t, D] = [40, 24];
const random = new Random(3);
const texts: DenseMatrix = {
  data: unitRows(
    Float64Array.from({ length: t * D }, () => random.normal()),
    D,
  ),
  rows: t,
  columns: D,
};
let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession, { threads: 1 });
});
afterAll(() => algebra.release());

/** Σ of some texts with coefficients, at length 1. */
function planted(parts: Record<number, number>): DenseMatrix {
  const data = new Float64Array(D);
  for (const [text, coefficient] of Object.entries(parts))
    for (let d = 0; d < D; d++) data[d] += coefficient * texts.data[Number(text) * D + d];
  const length = norm(data);
  return { data: data.map((value) => value / length), rows: 1, columns: D };
}

it("a sum of three texts is found, with its coefficients in their proportion", async () => {
  const [sum] = await coherentPursuit(algebra, texts, planted({ 5: 3, 17: 2, 30: 1 }), { coherence: 0 });
  expect(sum.selected.slice(0, 3)).toEqual([5, 17, 30]);
  expect(sum.coefficients[0] / sum.coefficients[2]).toBeCloseTo(3, 6);
  expect(sum.coefficients[1] / sum.coefficients[2]).toBeCloseTo(2, 6);
  expect(sum.cosine).toBeCloseTo(1, 9);
});

it("no coefficient is negative, and a direction is described as it is in whatever company", async () => {
  const data = unitRows(
    Float64Array.from({ length: 12 * D }, () => random.normal()),
    D,
  );
  const all = await coherentPursuit(algebra, texts, { data, rows: 12, columns: D });
  for (const [i, sum] of all.entries()) {
    expect(sum.coefficients.every((value) => value > 0)).toBe(true);
    expect(sum.selected.length).toBeLessThanOrEqual(5);
    const alone = { data: data.slice(i * D, (i + 1) * D), rows: 1, columns: D };
    expect(await coherentPursuit(algebra, texts, alone)).toEqual([sum]);
  }
});

it("coherence prefers a text that is like the first, at the price of the cosine", async () => {
  // Text 1 is like text 0; text 2 explains more of what is left of the direction.
  const at = (angle: number, third = 0) => [Math.cos(angle), Math.sin(angle), third];
  const three: DenseMatrix = {
    data: unitRows(Float64Array.from([...at(0), ...at(0.3), 0, 0, 1]), 3),
    rows: 3,
    columns: 3,
  };
  const direction = { data: unitRows(Float64Array.from([...at(0.05, 0.25)]), 3), rows: 1, columns: 3 };
  const [plain] = await coherentPursuit(algebra, three, direction, { texts: 2, coherence: 0 });
  const [coherent] = await coherentPursuit(algebra, three, direction, { texts: 2, coherence: 0.3 });
  expect(plain.selected).toEqual([0, 2]);
  expect(coherent.selected).toEqual([0, 1]);
  expect(coherent.cosine).toBeLessThan(plain.cosine);
});

it("a direction that no text points along is left without words", async () => {
  const one = { data: Float64Array.from([1, 0]), rows: 1, columns: 2 };
  const [sum] = await coherentPursuit(algebra, one, {
    data: Float64Array.from([-1, 0]),
    rows: 1,
    columns: 2,
  });
  expect(sum).toEqual({ selected: [], coefficients: [], cosine: 0 });
});
