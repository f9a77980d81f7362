import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayMoments, type Contributions } from "../../analysis/textspan/contributions.ts";
import { unitRows } from "../../analysis/textspan/describe-heads.ts";
import type { Search } from "../../corpus/search.ts";
import { commonestTag } from "../../labeling/tags.ts";
import { Random } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { headOf } from "../../results/shapes.ts";
import { createBenches } from "../bench.ts";
import type { Method } from "../method.ts";
import { dissect, evidenceOf } from "./dissect.ts";
import { headPursuit, pursueTogether } from "./head-pursuit.ts";
import { principalPursuit } from "./principal-pursuit.ts";
import { random as randomLabel } from "./random.ts";
import { describe as describeHeads, textspanTags } from "./textspan.ts";

/*
 * A planted world: ten texts of each of three properties, alike among themselves. In half of the images a head writes a text
 * of its own property, in the others little; an image's embedding is the sum of what the heads wrote. A method that works
 * names the property.
 */
const PROPERTIES = ["animal", "colour", "place"];
const [D, IMAGES, EACH] = [48, 800, 10];
const random = new Random(5);
const texts = PROPERTIES.flatMap((property) =>
  Array.from({ length: EACH }, (_, i) => ({ text: `${property} ${i}`, property })),
);
const shared = PROPERTIES.map(() => Float64Array.from({ length: D }, () => random.normal()));
const embedded = unitRows(
  Float64Array.from({ length: texts.length * D }, (_, at) => {
    return shared[Math.floor(at / (EACH * D))][at % D] + 0.8 * random.normal();
  }),
  D,
);
const heads = PROPERTIES.map((_, h) => headOf(0, h));
const written = heads.map((_, h) => {
  const rows = Float32Array.from({ length: IMAGES * D }, () => 0.02 * random.normal());
  for (let image = 0; image < IMAGES; image++) {
    const text = h * EACH + random.below(EACH);
    if (random.chance(0.5)) continue;
    for (let d = 0; d < D; d++) rows[image * D + d] += embedded[text * D + d];
  }
  return rows;
});
const embeddings = written[0].map((_, i) => written.reduce((sum, rows) => sum + rows[i], 0));

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra({ threads: 1 });
});
afterAll(() => algebra.release());

function contributionsOf(h: number): Contributions {
  const read = async (start: number, count: number) => written[h].subarray(start * D, (start + count) * D);
  return {
    matrix: null,
    moments: () => arrayMoments(algebra, { shape: [IMAGES, D], read, close: async () => {} }),
    async rows(rows) {
      const data = new Float64Array(rows.length * (D + 1)).fill(1);
      for (const [i, row] of rows.entries())
        data.set(written[h].subarray(row * D, (row + 1) * D), i * (D + 1));
      return { data, rows: rows.length, columns: D + 1 };
    },
  };
}

const benches = () =>
  createBenches({
    model: {} as ClipModel,
    search: {
      index: { images: Array.from({ length: IMAGES }), embeddings: async () => embeddings },
    } as unknown as Search,
    ...{ heads, algebra, embedded, pool: { texts }, seed: 0 },
    contributionsOf: ({ head }) => contributionsOf(head),
  });

describe.each<[string, Method]>([
  ["TEXTSPAN", textspanTags],
  ["principal components", principalPursuit],
  ["Head Pursuit", headPursuit],
  ["CLIP-Dissect", dissect],
])("%s", (_, method) => {
  it("names what planted heads write, from all and from some of the images and texts", async () => {
    const bench = benches();
    const even = [...texts.keys()].filter((i) => i % 2 === 0);
    const parts = [{}, { rows: [...Array(IMAGES / 2).keys()] }, { texts: even }];
    for (const part of parts) {
      const claims = await method.judge(bench(part));
      expect(claims.map(({ label }) => label)).toEqual(PROPERTIES);
      for (const [h, { scores }] of claims.entries()) expect(scores[h]).toBe(Math.max(...scores));
    }
  });

  it("says the same again", async () => {
    const bench = benches();
    expect(await method.judge(bench())).toEqual(await method.judge(bench()));
  });
});

it("TEXTSPAN's label is the commonest tag of its five texts", async () => {
  const bench = benches()();
  const claims = await textspanTags.judge(bench);
  const described = await describeHeads(bench);
  expect(claims.map(({ label }) => label)).toEqual(
    described.map(({ descriptions }) => commonestTag(descriptions)),
  );
  expect(described.map(({ descriptions }) => descriptions.length)).toEqual([5, 5, 5]);
});

it("random labels differ by the seed alone, and come near every property", async () => {
  const bench = benches();
  const of = async (seed: number) => (await randomLabel.judge(bench({ seed }))).map(({ label }) => label);
  expect(await of(1)).toEqual(await of(1));
  const drawn = await Promise.all(Array.from({ length: 30 }, (_, seed) => of(seed)));
  expect(new Set(drawn.flat()).size).toBe(PROPERTIES.length);
});

it("one set of texts for all images: those that they use, most used first, each taken out before the next", () => {
  // Orthogonal texts: three images use the first by 3, −3 and 1, the second by 1, 0 and 4.
  const T: DenseMatrix = { data: Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), rows: 3, columns: 3 };
  const used = () => ({ data: Float64Array.from([3, 1, 0, -3, 0, 0, 1, 4, 0]), rows: 3, columns: 3 });
  expect(pursueTogether(used(), T, 5)).toEqual([
    [0, 7],
    [1, 5],
  ]);
  // A text twice: once its direction is taken out nothing is left for the second.
  const twice: DenseMatrix = { data: Float64Array.from([1, 0, 1, 0]), rows: 2, columns: 2 };
  expect(pursueTogether({ data: Float64Array.from([2, 2]), rows: 1, columns: 2 }, twice, 2)).toEqual([
    [0, 2],
  ]);
});

it("the evidence for a text is Σ log(1 + p(P − 1)) over the images that excite most", () => {
  const probabilities = Float64Array.from([0.9, 0.1, 0.2, 0.8]);
  const [first, second] = evidenceOf(probabilities, 2, [0, 1]);
  const at = (p: number, P: number) => Math.log(1 + p * (P - 1) + 1e-7);
  expect(first).toBeCloseTo(at(0.998, 0.9) + at(0.984, 0.2), 12);
  expect(second).toBeCloseTo(at(0.998, 0.1) + at(0.984, 0.8), 12);
});
