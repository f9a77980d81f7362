import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { atOnce } from "../../support/at-once.ts";
import { createChooser, selectTexts } from "./chooser.ts";
import { controlCurves } from "./control.ts";
import { selectTogether } from "./textspan.ts";

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession);
});
afterAll(() => algebra.release());

const random = new Random(4);
const normal = (rows: number, columns: number): DenseMatrix => ({
  data: Float64Array.from({ length: rows * columns }, () => random.normal()),
  ...{ rows, columns },
});
const covariances = (count: number, rank: number) =>
  Promise.all(Array.from({ length: count }, () => algebra.gram(normal(2 * rank, rank))));

describe("many choices", () => {
  it("in threads are those of the calling one, bit for bit, in their order", async () => {
    const texts = normal(600, 24);
    const sets = [await covariances(3, 24), await covariances(20, 24), await covariances(1, 24)];
    const wanted = await Promise.all(sets.map((set) => selectTogether(algebra, set, texts, 5)));
    const chooser = createChooser(algebra, 2, 0);
    try {
      expect(chooser.atOnce).toBeGreaterThan(0);
      const found = await atOnce(chooser.atOnce, sets, (set) => chooser.choose(set, texts, 5));
      expect(found).toEqual(wanted);
      const one = [];
      for await (const choice of selectTexts(chooser, sets[1], texts, 5)) one.push(choice);
      expect(one).toEqual(wanted[1]);
    } finally {
      await chooser.close();
    }
  });

  it("leave controls as they are", async () => {
    const texts = normal(200, 16);
    const heads = (await covariances(4, 6)).map((covariance) => ({
      space: { covariance, rank: 6, totalVariance: 20 },
      explainedVariance: [0.2, 0.1, 0.05],
    }));
    const control = async (chooser: ReturnType<typeof createChooser>) => {
      const curves = await controlCurves(chooser, texts, heads, { rotations: 7, seed: 2 });
      await chooser.close();
      return curves;
    };
    expect(await control(createChooser(algebra, 2, 0))).toEqual(await control(createChooser(algebra, 1)));
  });

  it("end with their threads, and begin anew", async () => {
    const chooser = createChooser(algebra, 2, 0);
    const [set, texts] = [await covariances(2, 8), normal(40, 8)];
    const before = await chooser.choose(set, texts, 3);
    await chooser.close();
    expect(await chooser.choose(set, texts, 3)).toEqual(before);
    await chooser.close();
  });
});
