import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossProduct } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import { createMatMul } from "../../onnx/matmul.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import {
  expectedByChance,
  gatherResponses,
  interval,
  type Responses,
  randomOrder,
  responsesOf,
  similarities,
} from "./cka.ts";
import { commonAxis } from "./common-axis.ts";

/*
 * Held to the definition: CKA as the correlation of centred n×n Gram matrices, of contributions written out.
 */

const matmul: MatMul = await createMatMul(openNodeSession, { threads: 1 });

/** A head with random coordinates [n, m] and a random matrix [m, D]. */
interface Made {
  readonly block: Float32Array;
  readonly matrix: Float64Array;
  readonly m: number;
  readonly d: number;
}

function make(n: number, m: number, d: number, seed: number): Made {
  const random = new Random(seed);
  return {
    block: Float32Array.from({ length: n * m }, () => random.between(-1, 1) + 0.5),
    matrix: Float64Array.from({ length: m * d }, () => random.between(-1, 1)),
    m,
    d,
  };
}

const metricOf = ({ matrix, m, d }: Made) =>
  Float64Array.from({ length: m * m }, (_, at) => {
    const [i, j] = [Math.floor(at / m), at % m];
    let sum = 0;
    for (let k = 0; k < d; k++) sum += matrix[i * d + k] * matrix[j * d + k];
    return sum;
  });

const gather = (heads: readonly Made[]): Promise<Responses> =>
  gatherResponses(matmul, heads.length, async (i) => ({
    width: heads[i].m,
    block: heads[i].block,
    metric: metricOf(heads[i]),
  }));

/** Contributions z̃M̃, [n][D]. */
function written({ block, matrix, m, d }: Made): number[][] {
  return Array.from({ length: block.length / m }, (_, row) =>
    Array.from({ length: d }, (_, k) => {
      let sum = 0;
      for (let i = 0; i < m; i++) sum += block[row * m + i] * matrix[i * d + k];
      return sum;
    }),
  );
}

/** The definition: ⟨HKH, HLH⟩ / (‖HKH‖·‖HLH‖). */
function defined(x: readonly number[][], y: readonly number[][]): number {
  const gram = (rows: readonly number[][]) => {
    const n = rows.length;
    const k = rows.map((a) => rows.map((b) => a.reduce((sum, value, i) => sum + value * b[i], 0)));
    const mean = k.map((row) => row.reduce((sum, value) => sum + value, 0) / n);
    const whole = mean.reduce((sum, value) => sum + value, 0) / n;
    return k.flatMap((row, i) => row.map((value, j) => value - mean[i] - mean[j] + whole));
  };
  const [k, l] = [gram(x), gram(y)];
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  return dot(k, l) / Math.sqrt(dot(k, k) * dot(l, l));
}

/** A random rotation, [D, D], by orthogonalising random vectors. */
function rotation(d: number, seed: number): number[][] {
  const random = new Random(seed);
  const rows: number[][] = [];
  while (rows.length < d) {
    let row = Array.from({ length: d }, () => random.between(-1, 1));
    for (const other of [...rows, ...rows]) {
      const along = other.reduce((sum, value, i) => sum + value * row[i], 0);
      row = row.map((value, i) => value - along * other[i]);
    }
    const length = Math.hypot(...row);
    if (length > 1e-3) rows.push(row.map((value) => value / length));
  }
  return rows;
}

/** The same head in another space: its matrix times a rotation, times a scale. */
function turned(head: Made, turn: readonly number[][], scale: number): Made {
  const { matrix, m, d } = head;
  const turnedMatrix = Float64Array.from({ length: m * d }, (_, at) => {
    const [i, k] = [Math.floor(at / d), at % d];
    let sum = 0;
    for (let j = 0; j < d; j++) sum += matrix[i * d + j] * turn[j][k];
    return scale * sum;
  });
  return { ...head, matrix: turnedMatrix };
}

const shapes = fc.record({
  n: fc.integer({ min: 8, max: 40 }),
  m: fc.integer({ min: 1, max: 6 }),
  other: fc.integer({ min: 1, max: 6 }),
  d: fc.integer({ min: 1, max: 8 }),
  seed: fc.nat(1e6),
});

describe("linear CKA of two heads", () => {
  it("is the correlation of their centred Gram matrices, of every pair of heads", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ n, m, other, d, seed }) => {
        // More heads than are multiplied at once.
        const a = Array.from({ length: 10 }, (_, i) => make(n, m, d, seed + i));
        const b = Array.from({ length: 3 }, (_, i) => make(n, other, d + 2, seed + 100 + i));
        const found = await similarities(matmul, await gather(a), await gather(b));
        for (const [i, x] of a.entries()) {
          for (const [j, y] of b.entries()) {
            expect(found[i * b.length + j]).toBeCloseTo(defined(written(x), written(y)), 4);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it("is 1 of a head with itself, in any rotation and at any scale", async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        async ({ n, m, d, seed }, scale) => {
          const head = make(n, m, d, seed);
          const same = [head, turned(head, rotation(d, seed), scale)];
          const [a, b] = [await gather([head]), await gather(same)];
          for (const value of await similarities(matmul, a, b)) expect(value).toBeCloseTo(1, 4);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("does not change when either head is rotated or scaled", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ n, m, other, d, seed }) => {
        const [x, y] = [make(n, m, d, seed), make(n, other, d, seed + 1)];
        const [plain] = await similarities(matmul, await gather([x]), await gather([y]));
        const [moved] = await similarities(
          matmul,
          await gather([turned(x, rotation(d, seed), 7)]),
          await gather([turned(y, rotation(d, seed + 1), 0.2)]),
        );
        expect(moved).toBeCloseTo(plain, 4);
      }),
      { numRuns: 30 },
    );
  });

  it("is 0 of a head that is the same for all images", async () => {
    const flat: Made = { ...make(12, 3, 5, 1), block: new Float32Array(36).fill(0.25) };
    const found = await similarities(matmul, await gather([flat]), await gather([make(12, 3, 5, 2), flat]));
    expect([...found]).toEqual([0, 0]);
  });
});

describe("the chance level", () => {
  it("is the mean over every order of one side's images", async () => {
    const [a, b] = [await gather([make(5, 2, 3, 1)]), await gather([make(5, 3, 4, 2)])];
    const orders = permutationsOf([0, 1, 2, 3, 4]);
    expect(orders).toHaveLength(120);
    let sum = 0;
    for (const order of orders) sum += (await similarities(matmul, a, b, Int32Array.from(order)))[0];
    expect(sum / orders.length).toBeCloseTo(expectedByChance(a, b)[0], 5);
  });

  it("is about what a head shuffled against itself has, far from 1", async () => {
    const a = await gather([make(400, 5, 6, 3)]);
    const shuffled = await Promise.all(
      Array.from({ length: 20 }, (_, p) => similarities(matmul, a, a, randomOrder(400, 0, p))),
    );
    const mean = shuffled.reduce((sum, [value]) => sum + value, 0) / shuffled.length;
    const [expected] = expectedByChance(a, a);
    expect(expected).toBeLessThan(0.02);
    expect(Math.abs(mean - expected)).toBeLessThan(expected);
    expect(Math.max(...shuffled.map(([value]) => value))).toBeLessThan(0.05);
  });
});

function permutationsOf(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutationsOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe("the interval", () => {
  /** Two heads that share some of what they see, over n images of one world. */
  async function pair(n: number, seed: number): Promise<[Float32Array, Float32Array]> {
    const shared = make(n, 4, 4, seed);
    const own = make(n, 4, 4, seed + 5000);
    const mixed = { ...own, block: own.block.map((value, i) => 0.5 * value + shared.block[i]) };
    const fixed = (head: Made) => ({ ...head, matrix: make(1, 4, 4, 77).matrix });
    const responses = await gather([fixed(shared), fixed(mixed)]);
    return [responsesOf(responses, 0), responsesOf(responses, 1)];
  }

  it("holds the value of the whole world in about 95 of 100 samples", async () => {
    const [x, y] = await pair(20_000, 1);
    const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value ** 2, 0);
    const truth =
      squares(crossProduct(x, y, 4, 4)) /
      Math.sqrt(squares(crossProduct(x, x, 4, 4)) * squares(crossProduct(y, y, 4, 4)));
    let held = 0;
    for (let sample = 0; sample < 100; sample++) {
      const [a, b] = await pair(200, 10 + sample);
      const { low, high } = interval(a, b, 4, 4, sample);
      expect(high - low).toBeLessThan(0.2);
      if (low <= truth && truth <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(88);
  });
});

describe("the axis that two heads share", () => {
  it("is found where one direction is common and the rest is noise", () => {
    const random = new Random(4);
    const n = 300;
    const common = Array.from({ length: n }, () => random.between(-1, 1));
    const noisy = (width: number, at: number) =>
      Float32Array.from({ length: n * width }, (_, i) => {
        const noise = random.between(-0.2, 0.2);
        return i % width === at ? common[Math.floor(i / width)] + noise : noise;
      });
    const { positions, correlation, share } = commonAxis(noisy(5, 2), noisy(3, 0), 5, 3);
    expect(share).toBeGreaterThan(0.95);
    expect(correlation).toBeGreaterThan(0.9);
    const along = common.reduce((sum, value, i) => sum + value * positions[i], 0) / n;
    expect(Math.abs(along)).toBeGreaterThan(0.5);
  });
});
