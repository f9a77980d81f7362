import { sampleOrigin } from "../../results/origin.fixture.ts";
import type { FactorSelectivity, SelectivityResult } from "../../results/selectivity.ts";
import { headOf } from "../../results/shapes.ts";

const FACTORS = [
  "concept",
  "background",
  "position",
  "size",
  "count",
  "style",
  "rotation",
  "blur",
  "category",
];

/** Shares of a component; those that are not significant are beaten by a permutation. */
export const shares = (values: number[], significant = values.map(() => true)) => ({
  factors: values.map(
    (share, i): FactorSelectivity => ({
      ...{ share, chance: 0, explained: share },
      highestByChance: significant[i] ? share - 0.001 : 1,
      p: significant[i] ? 0.0001 : 0.4,
      sign: null,
      margin: null,
    }),
  ),
});

/** Shares that differ from cell to cell; every seventh is not above chance. */
export function sample(shape: { layers: number; heads: number; factors: number }): SelectivityResult {
  let row = 0;
  const next = () => {
    const cells = Array.from({ length: shape.factors }, (_, column) => row * shape.factors + column);
    row++;
    return shares(
      cells.map((cell) => ((cell * 37) % 101) / 101),
      cells.map((cell) => cell % 7 !== 0),
    );
  };
  const heads = Array.from({ length: shape.layers * shape.heads }, (_, index) => ({
    ...headOf(Math.floor(index / shape.heads), index % shape.heads),
    ...next(),
  }));
  const names = ["embed", ...Array.from({ length: shape.layers }, (_, layer) => `L${layer}.MLP`)];
  const mlps = names.map((component) => ({ component, ...next() }));
  const factors = FACTORS.slice(0, shape.factors).map((name, index) => ({
    ...{ name, values: index + 2, images: 2000, texts: [], unsigned: "no texts" },
  }));
  return { ...small, images: 2000, factors, heads, mlps, embedding: next() };
}

/** The MLP and the whole embedding exceed every head, and one strong share is chance. */
export const small: SelectivityResult = {
  origin: sampleOrigin({ model: {}, index: {} }),
  images: 500,
  permutations: 20,
  factors: [
    { name: "colour", values: 8, images: 500, texts: [], unsigned: "no texts" },
    { name: "size", values: 3, images: 400, texts: [], unsigned: "no texts" },
  ],
  heads: [
    { ...headOf(0, 0), ...shares([0.11, 0.9], [true, false]) },
    { ...headOf(0, 1), ...shares([0.62, 0.002]) },
    { ...headOf(1, 0), ...shares([0.25, 0.31]) },
    { ...headOf(1, 1), ...shares([0, 0.05]) },
  ],
  mlps: [
    { component: "embed", ...shares([0.03, 0.04]) },
    { component: "L0.MLP", ...shares([0.95, 0.06]) },
    { component: "L1.MLP", ...shares([0.07, 0.08]) },
  ],
  embedding: shares([0.99, 0.98]),
};

/** The same with a head that knows its colours and speaks against them, and one that speaks for sizes. */
export const signed: SelectivityResult = {
  ...small,
  factors: small.factors.map((factor) => ({ ...factor, unsigned: null })),
  heads: small.heads.map(({ factors, ...head }) => ({
    ...head,
    factors: factors.map((of, f) => {
      const sign = head.name === "L0.H1" && f === 0 ? -1 : head.name === "L1.H0" && f === 1 ? 1 : null;
      if (sign === null) return of;
      const [first, last] = sign === 1 ? [0.9, 0.01] : [0.02, 0.86];
      return {
        ...of,
        sign,
        margin: { mean: 0.08 * sign, low: 0.075 * sign, high: 0.085 * sign, first, last },
      };
    }),
  })),
};

/** The same numbers, but which of them are above chance. */
export function withSignificant(result: SelectivityResult, significant: boolean[]): SelectivityResult {
  const again = <C extends { factors: readonly FactorSelectivity[] }>(component: C) => ({
    ...component,
    ...shares(
      component.factors.map(({ share }) => share),
      significant,
    ),
  });
  const { heads, mlps, embedding } = result;
  return { ...result, heads: heads.map(again), mlps: mlps.map(again), embedding: again(embedding) };
}

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
export const hostile: SelectivityResult = {
  ...small,
  origin: sampleOrigin({ model: { name: HOSTILE, notice: HOSTILE }, index: {} }),
  factors: small.factors.map((factor) => ({ ...factor, name: HOSTILE })),
  mlps: [...small.mlps, { component: HOSTILE, ...shares([0.1, 0.2]) }],
};

/** Results with nothing to draw, each with the words that say so. */
export const nothing: [words: string, result: SelectivityResult][] = [
  ["none above chance", { ...small, heads: [], mlps: [] }],
  ["no factors", { ...small, factors: [], heads: [], mlps: [], embedding: shares([]) }],
];
