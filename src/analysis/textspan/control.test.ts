import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dot } from "../../math/linear.ts";
import { orthonormal } from "../../math/orthonormal.ts";
import { Random } from "../../math/random.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { createChooser, selectTexts } from "./chooser.ts";
import { type Controlled, controlCurves, randomFrame } from "./control.ts";
import { selectInSpace } from "./textspan.ts";

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession, { threads: 1 });
});
afterAll(() => algebra.release());

const D = 32;
const RANK = 6;

/** Texts of one cone, as CLIP's are: what they share is longer than what tells them apart. */
function cone(count: number, random: Random): DenseMatrix {
  const shared = Array.from({ length: D }, () => random.normal());
  const data = Float64Array.from({ length: count * D }, (_, i) => shared[i % D] + 0.7 * random.normal());
  return { data, rows: count, columns: D };
}

/** A head whose variances fall steeply, in a row space that has nothing to do with the texts, or is made of three of them. */
async function chosen(texts: DenseMatrix, random: Random, knows: boolean): Promise<Controlled> {
  const basis = await randomFrame(algebra, D, RANK, random);
  const covariance = new Float64Array(RANK * RANK);

  const frame = knows ? textsFirst(texts, basis) : basis;
  for (let i = 0; i < RANK; i++) covariance[i * RANK + i] = 0.5 ** i;
  const space = {
    covariance: { data: covariance, rows: RANK, columns: RANK },
    rank: RANK,
    totalVariance: covariance.reduce((sum, value) => sum + value, 0),
  };
  const coordinates = new Float64Array(texts.rows * RANK);
  for (let t = 0; t < texts.rows; t++) {
    for (let i = 0; i < RANK; i++) coordinates[t * RANK + i] = dot(texts.data, frame.data, t * D, i * D, D);
  }
  const { variances } = await selectInSpace(
    algebra,
    space,
    { data: coordinates, rows: texts.rows, columns: RANK },
    3,
  );
  return { space, explainedVariance: variances.map((variance) => variance / space.totalVariance) };
}

/** A basis whose first three directions are those of texts. */
function textsFirst(texts: DenseMatrix, rest: DenseMatrix): DenseMatrix {
  const rows = Array.from({ length: RANK }, (_, i) =>
    i < 3 ? texts.data.slice(i * D, (i + 1) * D) : rest.data.slice(i * D, (i + 1) * D),
  );
  const basis: Float64Array[] = [];
  for (const row of rows) {
    for (const one of [...basis, ...basis]) {
      const part = dot(row, one);
      for (let d = 0; d < D; d++) row[d] -= part * one[d];
    }
    const length = Math.sqrt(dot(row, row));
    basis.push(row.map((value) => value / length));
  }
  const data = new Float64Array(RANK * D);
  for (const [i, row] of basis.entries()) data.set(row, i * D);
  return { data, rows: RANK, columns: D };
}

describe("the control of TEXTSPAN", () => {
  it("finds at most one in twenty heads that know nothing, and every head whose space is that of texts", async () => {
    const p: number[] = [];
    const known: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, 7);
      const texts = cone(40, random);
      const heads = [];
      for (let head = 0; head < 10; head++) heads.push(await chosen(texts, random, false));
      heads.push(await chosen(texts, random, true));
      const controls = await controlCurves(createChooser(algebra, 1), texts, heads, { rotations: 39, seed });
      p.push(...controls.slice(0, 10).map((control) => control!.p[2]));
      known.push(controls[10]!.p[2]);
    }
    const significant = p.filter((value) => value <= 0.05).length / p.length;
    // p is uniform: of 200 heads 5 % on average, with a standard deviation of 1.5 %.
    expect(significant).toBeLessThanOrEqual(0.05 + 2 * 0.0154);
    const mean = p.reduce((sum, value) => sum + value, 0) / p.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.08);
    expect(known.filter((value) => value <= 0.05).length).toBeGreaterThan(15);
  });

  it("is the same for the same seed, and for a head beside others of another rank", async () => {
    const texts = cone(20, new Random(1));
    const head = await chosen(texts, new Random(2), false);
    const larger = {
      ...head,
      space: {
        ...head.space,
        rank: D,
        covariance: {
          data: new Float64Array(D * D).map((_, i) => (i % (D + 1) === 0 ? 1 : 0)),
          rows: D,
          columns: D,
        },
        totalVariance: D,
      },
    };
    const [first] = await controlCurves(createChooser(algebra, 1), texts, [head], { rotations: 10, seed: 3 });
    const [again] = await controlCurves(createChooser(algebra, 1), texts, [head], { rotations: 10, seed: 3 });
    const [beside] = await controlCurves(createChooser(algebra, 1), texts, [head, larger], {
      rotations: 10,
      seed: 3,
    });
    expect(again).toEqual(first);
    // The frame of a larger rank draws further rows after the same first ones.
    expect(beside!.rotated).toEqual(first!.rotated);
    const [none] = await controlCurves(createChooser(algebra, 1), texts, [head], { rotations: 0 });
    expect(none).toBeNull();
  });

  it.each([
    [9, 9],
    [5, 40],
    [33, 64],
    [150, 150],
  ])("a frame of %i rows in %i dimensions is what Gram-Schmidt makes of them", async (count, D) => {
    const { data, rows } = await randomFrame(algebra, D, count, new Random(5));
    const random = new Random(5);
    const vectors = Array.from({ length: count }, () =>
      Float64Array.from({ length: D }, () => random.normal()),
    );
    const wanted = orthonormal(vectors);
    expect(rows).toBe(count);
    for (const [i, row] of wanted.entries())
      for (let d = 0; d < D; d++) expect(Math.abs(data[i * D + d] - row[d])).toBeLessThan(1e-11);
    for (let a = 0; a < rows; a++)
      for (let b = 0; b < rows; b++)
        expect(Math.abs(dot(data, data, a * D, b * D, D) - (a === b ? 1 : 0))).toBeLessThan(1e-13);
  });
});

describe.each([5, 67, 128, 200, 512])("choices from one pool in %i dimensions", (rank) => {
  it("are, bit for bit, what each is by itself: of twenty, of one that ends early, and of one where nothing varies", async () => {
    const random = new Random(11);
    const rows = 150;
    const texts = {
      data: Float64Array.from({ length: rows * rank }, () => random.normal()),
      ...{ rows, columns: rank },
    };
    // The first text is all that varies in one of them.
    texts.data.fill(0, 0, rank);
    texts.data[0] = 100;
    const covariances: DenseMatrix[] = [];
    for (let i = 0; i < 20; i++) {
      const data = Float64Array.from({ length: rank * rank }, () => random.normal());
      covariances.push(await algebra.gram({ data, rows: rank, columns: rank }));
    }
    const nothing = () => ({ data: new Float64Array(rank * rank), rows: rank, columns: rank });
    covariances[3] = nothing();
    covariances[3].data[0] = 1;
    covariances[7] = nothing();
    let at = 0;
    for await (const found of selectTexts(createChooser(algebra, 1), covariances, texts, 6)) {
      const space = { covariance: covariances[at++], rank, totalVariance: 1 };
      expect(found).toEqual(await selectInSpace(algebra, space, texts, 6));
      if (at === 4) expect(found.selected).toEqual([0]);
      if (at === 8) expect(found.selected).toEqual([]);
    }
    expect(at).toBe(20);
  });
});
