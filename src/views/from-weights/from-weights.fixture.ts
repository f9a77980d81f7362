import type { DescribedDirection, DirectionEnd, FromWeightsResult } from "../../results/from-weights.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headNamed } from "../../results/shapes.ts";

type Head = FromWeightsResult["heads"][number];

const end = (cosine: number, ...texts: readonly string[]): DirectionEnd => ({
  cosine,
  texts: texts.map((text, i) => ({
    ...{ index: i, text, property: i === 0 ? "colour" : null },
    coefficient: 0.6 / (i + 1),
  })),
});

/** A head with some directions of falling shares. */
export function written(name: string, count: number, variance = false): Head {
  const directions = Array.from({ length: count }, (_, k): DescribedDirection => {
    const share = 0.4 / (k + 1);
    return {
      ...{ direction: variance ? count - 1 - k : k, singularValue: 7 / (k + 1), share },
      varianceShare: variance ? share / 2 : null,
      ends: [
        end(0.8 - k / 10, `text ${k} of ${name}`, "a second text"),
        k % 3 === 2 ? { cosine: 0, texts: [] } : end(0.3, `what ${k} of ${name} is not`),
      ],
    };
  });
  return {
    ...headNamed(name),
    ...{ singularValues: Array.from({ length: 32 }, (_, k) => 7 / (k + 1)), rank: 32, directions },
    texts: directions.map(({ ends }, i) => ({
      ...{ index: i, text: ends[0].texts[0].text, property: "colour", weight: 0.3 / (i + 1) },
    })),
  };
}

export const resultOf = (
  heads: Head[],
  about: { model?: string; notice?: string; images?: number; chance?: FromWeightsResult["chance"] } = {},
): FromWeightsResult => {
  const { model = "tiny", notice = null, images, chance = { mean: 0.27, high: 0.44, draws: 100 } } = about;
  const { index } = sampleOrigin({ index: images === undefined ? {} : { images } });
  return {
    origin: sampleOrigin({ model: { name: model, notice }, pool: { texts: 1236 } }),
    ...{
      index: images === undefined ? null : index,
      weighting: images === undefined ? "singular value" : "variance",
    },
    ...{ coherence: 0.3, textsPerEnd: 5, seed: 0, chance, heads },
  };
};

export const sample = (heads: number, count = 6): FromWeightsResult =>
  resultOf(Array.from({ length: heads }, (_, h) => written(`L3.H${h}`, count)));

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
export const hostile: FromWeightsResult = resultOf(
  [
    {
      ...written(HOSTILE, 2),
      texts: [{ index: 0, text: HOSTILE, property: HOSTILE, weight: 1 }],
      ...headNamed("L0.H0"),
      name: HOSTILE,
    },
  ],
  { model: HOSTILE, notice: HOSTILE },
);
