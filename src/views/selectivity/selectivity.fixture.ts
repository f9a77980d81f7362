import type { SelectiveComponent, SelectivityMatrixInput } from "./words.ts";

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

/** Shares that differ from cell to cell; every seventh is not above chance. */
export function sample(shape: { layers: number; heads: number; factors: number }): SelectivityMatrixInput {
  const names = Array.from(
    { length: shape.layers * shape.heads },
    (_, index) => `L${Math.floor(index / shape.heads)}.H${index % shape.heads}`,
  );
  const mlps = Array.from({ length: shape.layers }, (_, layer) => `L${layer}.MLP`);
  const components = [...names, "embed", ...mlps, "embedding"].map((name, row): SelectiveComponent => {
    const columns = Array.from({ length: shape.factors }, (_, column) => row * shape.factors + column);
    return {
      name,
      shares: columns.map((cell) => ((cell * 37) % 101) / 101),
      significant: columns.map((cell) => cell % 7 !== 0),
    };
  });
  const factors = FACTORS.slice(0, shape.factors).map((name, index) => ({
    name,
    levels: index + 2,
    images: 2000,
  }));
  return { model: "tiny", images: 2000, factors, components };
}

export const head = (name: string, shares: number[], significant: boolean[] = shares.map(() => true)) => ({
  name,
  shares,
  significant,
});

/** The MLP and the whole embedding exceed every head, and one strong share is chance. */
export const small: SelectivityMatrixInput = {
  model: "tiny",
  images: 500,
  factors: [
    { name: "colour", levels: 8, images: 500 },
    { name: "size", levels: 3, images: 400 },
  ],
  components: [
    head("L0.H0", [0.11, 0.9], [true, false]),
    head("L0.H1", [0.62, 0.002]),
    head("L1.H0", [0.25, 0.31]),
    head("L1.H1", [0, 0.05]),
    head("embed", [0.03, 0.04]),
    head("L0.MLP", [0.95, 0.06]),
    head("L1.MLP", [0.07, 0.08]),
    head("embedding", [0.99, 0.98]),
  ],
};

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
export const hostile: SelectivityMatrixInput = {
  ...small,
  model: HOSTILE,
  notice: HOSTILE,
  factors: small.factors.map((factor) => ({ ...factor, name: HOSTILE })),
  components: [...small.components, head(HOSTILE, [0.1, 0.2])],
};

/** Inputs with nothing to draw, each with the words that say so. */
export const nothing: [words: string, input: SelectivityMatrixInput][] = [
  ["no components", { ...small, components: [] }],
  ["no factors", { ...small, factors: [], components: [head("L0.H0", [])] }],
];
