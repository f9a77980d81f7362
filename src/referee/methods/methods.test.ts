import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayMoments, type Contributions } from "../../analysis/textspan/contributions.ts";
import type { Search } from "../../corpus/search.ts";
import { commonestTag } from "../../labeling/tags.ts";
import { unitRows } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { headOf } from "../../results/shapes.ts";
import { scoreAxes } from "../axes.ts";
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

/** A head that writes one animal more than four colours, so that the one explains most and the others are more. */
const MIXED = headOf(0, heads.length);
const mixed = new Float32Array(IMAGES * D);
for (let image = 0; image < IMAGES; image++) {
  for (const k of [0, 1, 2, 3, 4]) {
    const [text, amount] = [k === 0 ? 0 : EACH + k, (k === 0 ? 2 : 1) * random.normal()];
    for (let d = 0; d < D; d++) mixed[image * D + d] += amount * embedded[text * D + d];
  }
}
written.push(mixed);

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession, { threads: 1 });
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

const benches = (of = heads) =>
  createBenches({
    model: {} as ClipModel,
    search: {
      index: { images: Array.from({ length: IMAGES }), embeddings: async () => embeddings },
    } as unknown as Search,
    ...{ heads: of, algebra, embedded, pool: { texts }, seed: 0 },
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
  const bench = benches([...heads, MIXED])();
  const claims = await textspanTags.judge(bench);
  const described = await describeHeads(bench);
  expect(claims.map(({ label }) => label)).toEqual(
    described.map(({ descriptions }) => commonestTag(descriptions)),
  );
  expect(described.map(({ descriptions }) => descriptions.length)).toEqual([5, 5, 5, 5]);
  // Not the one whose texts explain most.
  expect(described[3].descriptions[0].property).toBe("animal");
  expect(claims[3].label).toBe("colour");
});

it("random labels differ by the seed alone, and come near every property", async () => {
  const bench = benches();
  const of = async (seed: number) => (await randomLabel.judge(bench({ seed }))).map(({ label }) => label);
  expect(await of(1)).toEqual(await of(1));
  const drawn = await Promise.all(Array.from({ length: 30 }, (_, seed) => of(seed)));
  expect(new Set(drawn.flat()).size).toBe(PROPERTIES.length);
});

it("one set of texts for all images: those that they use, most used first, each taken out before the next", () => {
  // Orthogonal texts: three images use the first by 3, −3 and 1, the second by 1, −1 and 4.
  const T: DenseMatrix = { data: Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), rows: 3, columns: 3 };
  const used = () => ({ data: Float64Array.from([3, 1, 0, -3, -1, 0, 1, 4, 0]), rows: 3, columns: 3 });
  expect(pursueTogether(used(), T, 5)).toEqual([
    [0, 7],
    [1, 6],
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

it("what a head wrote is seen from its mean, and keeps its distances", async () => {
  const bench = benches()();
  const rows = [...Array(IMAGES).keys()];
  const { data, columns } = await bench.writtenBy(heads[1], rows);
  const mean = Array.from({ length: columns }, (_, k) =>
    rows.reduce((sum, i) => sum + data[i * columns + k], 0),
  );
  for (const sum of mean) expect(sum / IMAGES).toBeCloseTo(0, 6);
  const distance = (of: ArrayLike<number>, width: number) =>
    Math.hypot(...Array.from({ length: width }, (_, d) => of[d] - of[width + d]));
  expect(distance(data, columns)).toBeCloseTo(distance(written[1], D), 5);
});

it("a direction speaks for the properties of its texts by its weight, whichever its sign", async () => {
  const bench = benches()();
  // The first text of each of the first two properties, the second turned round.
  const data = new Float64Array(2 * D);
  data.set(bench.directions.data.subarray(0, D));
  data.set(
    bench.directions.data.subarray(EACH * D, (EACH + 1) * D).map((value) => -value),
    D,
  );
  const axes = { data, rows: 2, columns: D };
  const [animal, colour] = await scoreAxes(bench, axes, [1, 3], { texts: 1, coherence: 0 });
  const [other, same] = await scoreAxes(bench, axes, [3, 3], { texts: 1, coherence: 0 });
  expect(animal).toBeGreaterThan(0.9);
  expect(colour).toBeGreaterThan(2.9);
  expect(other - animal).toBeGreaterThan(1.9);
  expect(same).toBeGreaterThanOrEqual(colour);
});
