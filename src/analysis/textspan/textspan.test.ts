import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { relativeError } from "../../../test/support/compare.ts";
import { denseTextspan } from "../../../test/support/dense-textspan.ts";
import { quantile } from "../../math/intervals.ts";
import { Random } from "../../math/random.ts";
import { type Algebra, createAlgebra } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { createChooser } from "./chooser.ts";
import { arrayMoments } from "./contributions.ts";
import { controlCurves, cumulative } from "./control.ts";
import { rowSpace } from "./row-space.ts";
import { reconstruct, textspan } from "./textspan.ts";

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession);
});
afterAll(() => algebra.release());

/** Contributions z̃·M̃ of n images with a mean far from zero, and texts. */
interface World {
  readonly n: number;
  readonly m: number;
  readonly D: number;
  /** [n, m]. */
  readonly z: Float64Array;
  /** [m, D]. */
  readonly matrix: Float64Array;
  /** [t, D]. */
  readonly texts: Float64Array;
}

const worlds = fc
  .record({
    seed: fc.nat(1e6),
    n: fc.integer({ min: 25, max: 60 }),
    m: fc.integer({ min: 2, max: 7 }),
    extra: fc.integer({ min: 0, max: 6 }),
    t: fc.integer({ min: 8, max: 30 }),
  })
  .map(({ seed, n, m, extra, t }): World => {
    const random = new Random(seed);
    const draw = (length: number, low: number, high: number) =>
      Float64Array.from({ length }, () => random.between(low, high));
    const D = m + extra;
    const middle = draw(m, -3, 3);
    return {
      ...{ n, m, D },
      z: draw(n * m, -1, 1).map((value, i) => value + middle[i % m]),
      matrix: draw(m * D, -1, 1),
      texts: draw(t * D, -1, 1),
    };
  });

/** Σ [x;1][x;1]ᵀ, by hand. */
function momentsOf(x: Float64Array, width: number): Float64Array {
  const size = width + 1;
  const sum = new Float64Array(size * size);
  const row = new Float64Array(size).fill(1);
  for (let at = 0; at < x.length; at += width) {
    row.set(x.subarray(at, at + width));
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum[i * size + j] += row[i] * row[j];
  }
  return sum;
}

/** z̃·M̃: [n, D]. */
function dense({ n, m, D, z, matrix }: World): Float64Array {
  const x = new Float64Array(n * D);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < m; k++) for (let d = 0; d < D; d++) x[i * D + d] += z[i * m + k] * matrix[k * D + d];
  }
  return x;
}

const span = (world: World, iterations = world.m - 1) =>
  textspan(momentsOf(world.z, world.m), world.matrix, world.texts, { algebra, iterations });

const holds = (check: (world: World) => Promise<void>) =>
  fc.assert(fc.asyncProperty(worlds, check), { numRuns: 60 });

describe("moments of an array", () => {
  it("are one product of all columns with a 1 beside them, however many blocks it takes", async () => {
    const [n, D] = [50, 400];
    const random = new Random(4);
    const values = Float32Array.from({ length: n * D }, () => random.normal());
    const array = {
      shape: [n, D],
      read: async (start: number, count: number) => values.subarray(start * D, (start + count) * D),
      close: async () => {},
    };
    const data = new Float64Array(n * (D + 1)).fill(1);
    for (let i = 0; i < n; i++) data.set(values.subarray(i * D, (i + 1) * D), i * (D + 1));
    const whole = await algebra.gram({ data, rows: n, columns: D + 1 });
    const moments = await arrayMoments(algebra, array);
    expect(moments.length).toBe(whole.data.length);
    // Bit for bit on x64; on arm64 ONNX Runtime adds the last columns of a product in another order.
    const off = moments.reduce((most, value, i) => Math.max(most, Math.abs(value - whole.data[i])), 0);
    expect(off).toBeLessThan(1e-12);
  });
});

describe("TEXTSPAN in moments", () => {
  it("chooses, explains and reconstructs as the published algorithm does over dense contributions", () =>
    holds(async (world) => {
      const iterations = world.m - 1;
      const x = dense(world);
      const wanted = denseTextspan(x, world.texts, world.D, { iterations, rank: world.m });
      const found = await span(world);
      expect(found.rank).toBe(world.m);
      expect(found.selected).toEqual(wanted.selected);
      for (const [step, share] of wanted.explained.entries())
        expect(found.explainedVariance[step]).toBeCloseTo(share, 9);
      expect(relativeError(reconstruct(x, found), wanted.reconstruction)).toBeLessThan(1e-9);
    }));

  it("gives the same for M̃ = I, from the moments of the contributions themselves", () =>
    holds(async (world) => {
      const raw = await textspan(momentsOf(dense(world), world.D), null, world.texts, {
        algebra,
        iterations: world.m - 1,
      });
      const found = await span(world);
      expect(raw.selected).toEqual(found.selected);
      expect(raw.rank).toBe(found.rank);
      expect(raw.totalVariance).toBeCloseTo(found.totalVariance, 8);
    }));

  it("does not depend on the images' order, nor on the scale of contributions or texts", () =>
    holds(async (world) => {
      const { selected, explainedVariance } = await span(world);
      const rows = Array.from({ length: world.n }, (_, i) => world.z.slice(i * world.m, (i + 1) * world.m));
      const turned = Float64Array.from(rows.reverse().flatMap((row) => [...row]));
      const changes: Partial<World>[] = [
        { z: turned },
        { z: world.z.map((value) => value * 37) },
        { matrix: world.matrix.map((value) => value / 1000) },
        { texts: world.texts.map((value) => value * 0.01) },
      ];
      for (const change of changes) {
        const other = await span({ ...world, ...change });
        expect(other.selected).toEqual(selected);
        for (const [step, share] of explainedVariance.entries())
          expect(other.explainedVariance[step]).toBeCloseTo(share, 8);
      }
    }));

  it("explains at most everything, along directions at right angles, and never more than the best directions", () =>
    holds(async (world) => {
      const found = await span(world, 100);
      const { data, rows, columns } = found.directions;
      for (let a = 0; a < rows; a++) {
        for (let b = 0; b < rows; b++) {
          let product = 0;
          for (let d = 0; d < columns; d++) product += data[a * columns + d] * data[b * columns + d];
          expect(product).toBeCloseTo(a === b ? 1 : 0, 10);
        }
      }
      const space = await rowSpace(algebra, momentsOf(world.z, world.m), world.matrix);
      const texts = { data: world.texts, rows: world.texts.length / world.D, columns: world.D };
      const [control] = await controlCurves(createChooser(algebra, 1), texts, [{ space, ...found }], {
        rotations: 20,
      });
      const { rotated, gaussian, ceiling, p } = control!;
      for (const [k, share] of cumulative(found.explainedVariance).entries()) {
        expect(share).toBeLessThanOrEqual(ceiling[k] + 1e-9);
        for (const { mean, low, high } of [rotated, gaussian]) {
          expect(mean[k]).toBeLessThanOrEqual(ceiling[k] + 1e-9);
          expect(low[k]).toBeLessThanOrEqual(high[k]);
        }
        expect(p[k]).toBeGreaterThanOrEqual(1 / 21);
        expect(p[k]).toBeLessThanOrEqual(1);
      }
      expect(found.explainedVariance.every((share) => share >= 0)).toBe(true);
    }));

  it("takes the first of equal texts, and no copy of a chosen one", () =>
    holds(async (world) => {
      const { selected } = await span(world);
      const twice = Float64Array.from([...world.texts, ...world.texts]);
      expect((await span({ ...world, texts: twice })).selected).toEqual(selected);
    }));
});

describe("what has no answer", () => {
  const world = fc.sample(
    worlds.filter(({ m }) => m > 3),
    { numRuns: 1, seed: 7 },
  )[0];

  it("contributions that do not vary have no texts", async () => {
    const z = Float64Array.from({ length: world.n * world.m }, (_, i) => (i % world.m) + 0.1);
    const found = await span({ ...world, z });
    expect(found).toMatchObject({ selected: [], explainedVariance: [], totalVariance: 0, rank: 1 });
  });

  it("one image does not vary", async () => {
    const found = await span({ ...world, n: 1, z: world.z.slice(0, world.m) });
    expect(found.selected).toEqual([]);
    expect(reconstruct(dense({ ...world, n: 1 }), found)).toHaveLength(world.D);
  });

  it("no more texts than directions, and then everything is explained", async () => {
    const found = await span(world, 1000);
    expect(found.selected.length).toBe(world.m);
    expect(cumulative(found.explainedVariance).at(-1)).toBeCloseTo(1, 9);
  });

  it("rows of M̃ that depend on each other add no direction", async () => {
    const { m, D } = world;
    const matrix = world.matrix.slice();
    // The last row is the sum of the first two.
    for (let d = 0; d < D; d++) matrix[(m - 1) * D + d] = matrix[d] + matrix[D + d];
    const found = await span({ ...world, matrix });
    expect(found.numericalRank).toBe(m - 1);
  });
});

it("a quantile lies between neighbours in proportion", () => {
  expect(quantile([1, 2, 3], 0.5)).toBe(2);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(quantile([4], 0.9)).toBe(4);
});
