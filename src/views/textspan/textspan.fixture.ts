import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headNamed } from "../../results/shapes.ts";
import type { Description, Span, TextspanResult } from "../../results/textspan.ts";

type DescribedHead = TextspanResult["heads"][number];

/** A span of some texts. @param explained what resamples explain: low and high */
function spanOf(
  texts: readonly Omit<Description, "index">[],
  control: { mean: number[]; low: number[]; high: number[]; ceiling: number[] },
  [low, high]: readonly [number, number],
  overlap: number,
): Span {
  const { ceiling, ...random } = control;
  return {
    selected: texts.map((_, i) => i),
    explainedVariance: texts.map(({ explainedVariance }) => explainedVariance),
    descriptions: texts.map((text, index) => ({ index, ...text })),
    totalVariance: 1,
    rank: 35,
    control: {
      rotated: { ...random, draws: 100 },
      gaussian: { ...random, draws: 20 },
      ceiling,
      p: texts.map(() => 0.0198),
    },
    stability: {
      ...{ resamples: 32, blocks: 32, overlapByChance: 0.01 },
      chosenShare: texts.map(({ chosenShare }) => chosenShare ?? 0),
      overlap: { mean: overlap, low: 0, high: 1 },
      explained: { mean: (low + high) / 2, low, high },
    },
  };
}

/** A head with `count` texts of falling shares. @param name what its texts call it */
export function described(name: string, count: number, resampled = true): DescribedHead {
  const ks = Array.from({ length: count }, (_, k) => k);
  const texts = ks.map((k) => ({
    text: `text ${k} of ${name}`,
    property: k % 3 === 0 ? null : "colour",
    explainedVariance: 0.2 / (k + 1),
    chosenShare: resampled ? 1 - k / 40 : null,
  }));
  const control = {
    ...{ mean: ks.map((k) => k / 40), low: ks.map((k) => k / 60), high: ks.map((k) => k / 30) },
    ceiling: ks.map((k) => 1 - 0.8 ** (k + 1)),
  };
  const span = spanOf(texts, control, [0.61, 0.72], 0.83);
  return { ...headNamed(name), ...span, ...(!resampled && { stability: null }) };
}

/** A result with some heads. @param about what of its origin is not as always */
export const resultOf = (
  heads: DescribedHead[],
  resampled = true,
  about: { model?: string; notice?: string; pool?: string } = {},
): TextspanResult => ({
  origin: sampleOrigin({
    model: { name: about.model ?? "tiny", notice: about.notice ?? null },
    index: { images: 2000 },
    pool: { name: about.pool ?? "emoji", texts: 915 },
  }),
  ...{ iterations: 20, resamples: resampled ? 32 : 0, seed: 0, mlps: [], joint: null },
  heads,
});

export const sample = (heads: number, count = 20, resampled = true): TextspanResult =>
  resultOf(
    Array.from({ length: heads }, (_, h) => described(`L3.H${h}`, count, resampled)),
    resampled,
  );

/**
 * A head whose numbers all differ: shares that rise and fall, one below a per cent, texts that half of the resamples
 * keep and that fewer do, a control that comes close, and a text without a property.
 */
export const telling: DescribedHead = {
  ...headNamed("L2.H1"),
  ...spanOf(
    [
      { text: "a red car", property: "colour", explainedVariance: 0.31, chosenShare: 0.97 },
      { text: "something blue", property: "colour", explainedVariance: 0.34, chosenShare: 0.5 },
      { text: "a photo", property: null, explainedVariance: 0.12, chosenShare: 0.49 },
      { text: "three of them", property: "count", explainedVariance: 0.003, chosenShare: 0 },
    ],
    {
      ...{ mean: [0.1, 0.22, 0.3, 0.35], low: [0.02, 0.1, 0.2, 0.26], high: [0.25, 0.36, 0.44, 0.5] },
      ceiling: [0.42, 0.71, 0.86, 0.93],
    },
    [0.702, 0.811],
    0.64,
  ),
  rank: 12,
};

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
const [harmless] = sample(1, 3).heads;
export const hostile: TextspanResult = resultOf(
  [
    {
      ...harmless,
      name: HOSTILE,
      descriptions: [
        { index: 0, text: HOSTILE, property: HOSTILE, explainedVariance: 0.5, chosenShare: 0.5 },
      ],
      explainedVariance: [0.5],
    },
  ],
  true,
  { model: HOSTILE, notice: HOSTILE, pool: HOSTILE.slice(0, 200) },
);
