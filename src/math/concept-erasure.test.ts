import { describe, expect, it } from "vitest";
import { type Eraser, type GroupedVectors, leace, projectOut, projectOutMeans } from "./concept-erasure.ts";
import { dot } from "./linear.ts";
import { Random } from "./random.ts";

/** Vectors whose groups differ in their means, in directions of very different variance. */
function drawn(n: number, width: number, groups: number): GroupedVectors {
  const random = new Random(3);
  const of = Array.from({ length: n }, (_, i) => i % groups);
  const vectors = Float64Array.from({ length: n * width }, (_, i) => {
    const [row, d] = [Math.floor(i / width), i % width];
    const shift = (of[row] * ((d * 7) % 5)) / 10;
    return (d + 1) * (random.unit() - 0.5) + shift + 0.5 * random.unit() * (d === 2 ? 4 : 1);
  });
  return { vectors, width, groups: of };
}

const rowsOf = ({ vectors, width, groups }: GroupedVectors) =>
  Array.from({ length: groups.length }, (_, i) => vectors.slice(i * width, (i + 1) * width));
const meansOf = (data: GroupedVectors, { erase }: Eraser) => {
  const found = new Map<number, { sum: Float64Array; n: number }>();
  for (const [i, row] of rowsOf(data).entries()) {
    const own = found.get(data.groups[i]) ?? { sum: new Float64Array(data.width), n: 0 };
    for (const [d, value] of erase(row).entries()) own.sum[d] += value;
    found.set(data.groups[i], { ...own, n: own.n + 1 });
  }
  return [...found.values()].map(({ sum, n }) => sum.map((value) => value / n));
};
/** Mean square of what is changed, each direction counted with a weight. */
const change = (data: GroupedVectors, { erase }: Eraser, weight = (_d: number) => 1) => {
  let sum = 0;
  for (const row of rowsOf(data)) {
    for (const [d, value] of erase(row).entries()) sum += weight(d) * (value - row[d]) ** 2;
  }
  return sum / data.groups.length;
};

describe("LEACE", () => {
  it("is that of the paper's formula with a whitening matrix, as NumPy has it", () => {
    const [n, width] = [12, 3];
    const vectors = Float64Array.from({ length: n * width }, (_, i) => {
      const [row, d] = [Math.floor(i / width), i % width];
      return ((7 * row + 3 * d) % 11) / 5 - 1 + (row % 3 === d ? 0.3 : 0);
    });
    const data = { vectors, width, groups: Array.from({ length: n }, (_, i) => i % 3) };
    const { erase, directions } = leace(data);
    expect(directions).toBe(2);
    const wanted = [
      [-0.315062201306, 0.039462196485, -0.315291491287],
      [0.077614227711, 0.071664863288, 0.196029057892],
      [0.328544043327, 0.092243152806, 0.52277536005],
    ];
    for (const [i, row] of wanted.entries()) {
      const found = erase(rowsOf(data)[i]);
      for (const [d, value] of row.entries()) expect(found[d]).toBeCloseTo(value, 7);
    }
  });

  it.each([2, 4])("leaves %i groups with one mean, so that nothing linear tells them apart", (groups) => {
    const data = drawn(400, 6, groups);
    const [first, ...others] = meansOf(data, leace(data));
    for (const other of others) {
      for (const [d, value] of other.entries()) expect(value).toBeCloseTo(first[d], 6);
    }
  });

  it("changes less than a projection away from the means does, however directions are weighed", () => {
    const data = drawn(400, 6, 2);
    for (const weight of [() => 1, (d: number) => 1 / (d + 1) ** 2, (d: number) => (d === 2 ? 9 : 1)]) {
      expect(change(data, leace(data), weight)).toBeLessThan(change(data, projectOutMeans(data), weight));
    }
  });

  it("does no harm where there are fewer vectors than directions, or nothing to tell apart", () => {
    const few = drawn(5, 8, 2);
    for (const mean of meansOf(few, leace(few))) expect(mean.every(Number.isFinite)).toBe(true);
    const one = { ...drawn(20, 3, 2), groups: Array.from({ length: 20 }, () => 1) };
    const row = Float64Array.of(1, 2, 3);
    expect([...leace(one).erase(row)]).toEqual([1, 2, 3]);
  });
});

describe("a projection", () => {
  it("leaves nothing along the directions, and all else as it is", () => {
    const directions = [
      Float64Array.of(1, 1, 0, 0),
      Float64Array.of(1, 0, 0, 0),
      Float64Array.of(0, 2, 0, 0),
    ];
    const { erase, directions: taken } = projectOut(directions);
    expect(taken).toBe(2);
    const rest = erase(Float64Array.of(3, 4, 5, 6));
    for (const direction of directions) expect(dot(rest, direction)).toBeCloseTo(0, 12);
    expect([...rest.slice(2)]).toEqual([5, 6]);
  });

  it("away from means leaves the groups with one mean", () => {
    const data = drawn(300, 5, 3);
    const [first, ...others] = meansOf(data, projectOutMeans(data));
    for (const other of others) {
      for (const [d, value] of other.entries()) expect(value).toBeCloseTo(first[d], 9);
    }
  });
});
