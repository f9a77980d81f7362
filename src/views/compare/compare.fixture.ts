import type { HeadMatchInput } from "./words.ts";

export const names = (layers: number, heads: number) =>
  Array.from({ length: layers * heads }, (_, i) => `L${Math.floor(i / heads)}.H${i % heads}`);

/** Models whose heads match in order, and no others. */
export function input(layersA: number, layersB: number, heads = 2): HeadMatchInput {
  const [headsA, headsB] = [names(layersA, heads), names(layersB, heads)];
  return {
    ...{ a: "small <model>", b: "large", images: 1234, headsA, headsB },
    similarity: headsA.map((_, a) => headsB.map((_, b) => (a === b ? 0.876 : 0.004))),
    chance: { mean: 0.002, highest: 0.01, permutations: 20 },
    mutual: headsA.map((_, a) => ({ a, b: a })),
    pairs: [
      {
        ...{ a: "L0.H1", b: "L0.H1", similarity: 0.876, low: 0.851, high: 0.902, chance: 0.002 },
        factors: [{ name: "back<ground", a: 0.71, b: 0.42 }],
        axis: { share: 0.9, correlation: 0.93, least: [null], most: [null] },
      },
    ],
  };
}
