import type { BestMatch, CompareResult } from "../../results/compare.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { type Head, headOf } from "../../results/shapes.ts";

const allHeads = (layers: number, heads: number): Head[] =>
  Array.from({ length: layers * heads }, (_, i) => headOf(Math.floor(i / heads), i % heads));

/** A side with so many layers and heads. */
export const side = (
  name: string,
  layers: number,
  heads: number,
  notice: string | null = null,
): CompareResult["a"] => ({
  origin: sampleOrigin({ model: { name, notice }, index: {} }),
  components: {
    set: "all",
    heads: allHeads(layers, heads).map((head) => ({ ...head, weight: 1 })),
    mlps: [],
  },
});

/** An image at the end of an axis. */
export const image = (id: string) => ({ row: 0, id, path: `${id}.png`, label: null });

/** A comparison with these similarities, of which the best matches follow; pairs are not described. */
export function matched(a: CompareResult["a"], b: CompareResult["b"], similarity: number[][]): CompareResult {
  const best = (values: readonly number[]) => values.indexOf(Math.max(...values));
  const ofA = similarity.map(best);
  const ofB = b.components.heads.map((_, j) => best(similarity.map((row) => row[j])));
  const named = ({ layer, head }: Head) => headOf(layer, head);
  const match = (i: number, j: number): BestMatch => ({
    ...{ a: named(a.components.heads[i]), b: named(b.components.heads[j]), similarity: similarity[i][j] },
    mutual: ofA[i] === j && ofB[j] === i,
  });
  const chance = { mean: 0.002, highest: 0.01, permutations: 20 };
  const bestOfA = ofA.map((j, i) => match(i, j));
  return {
    origin: sampleOrigin({}),
    ...{ a, b, similarity, chance, bestOfA },
    ...{ images: 1234, shared: 1234, onlyA: 0, onlyB: 0 },
    bestOfB: ofB.map((i, j) => match(i, j)),
    mutual: bestOfA.filter((one) => one.mutual && one.similarity > chance.highest).length,
    pairs: [],
  };
}

/** Models whose heads match in order, and no others. */
export function result(layersA: number, layersB: number, heads = 2): CompareResult {
  const [a, b] = [side("small <model>", layersA, heads), side("large", layersB, heads)];
  return {
    ...matched(
      a,
      b,
      a.components.heads.map((_, i) => b.components.heads.map((__, j) => (i === j ? 0.876 : 0.004))),
    ),
    pairs: [
      {
        ...{ a: headOf(0, 1), b: headOf(0, 1), similarity: 0.876, low: 0.851, high: 0.902 },
        ...{ chance: 0.002, highestByChance: 0.01 },
        factors: [{ name: "back<ground", a: 0.71, b: 0.42 }],
        axis: { share: 0.9, correlation: 0.93, least: [image("gone")], most: [image("gone")] },
      },
    ],
  };
}
