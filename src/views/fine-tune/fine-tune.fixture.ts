import type { FineTuneResult, TunedHead } from "../../results/fine-tune.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headNamed } from "../../results/shapes.ts";

const end = (text: string) => ({
  cosine: 0.7,
  texts: [{ index: 0, text, property: null, coefficient: 0.7 }],
});

/** A head that changed so much, in these parts. */
export function tunedHead(name: string, change: number, parts: readonly [number, number, number]): TunedHead {
  const [reweighted, mixed, fresh] = parts;
  return {
    ...headNamed(name),
    ...{ change, reweighted, mixed, new: fresh, strength: 1 + change / 10, outside: fresh / 2 },
    ratios: [1, 1 + change, 1, 1 - change / 2, 1.001],
    directions:
      change === 0
        ? []
        : [{ singularValue: 2, share: 0.8, ends: [end(`what ${name} tells`), { cosine: 0, texts: [] }] }],
  };
}

export const resultOf = (
  heads: TunedHead[],
  about: { base?: string; tuned?: string; notice?: string; words?: boolean } = {},
): FineTuneResult => {
  const { base = "tiny", tuned = "tiny-flowers", notice = null, words = true } = about;
  return {
    origin: sampleOrigin({ model: { name: tuned, notice } }),
    base: sampleOrigin({ model: { name: base, notice } }).model,
    pool: words ? sampleOrigin({ pool: {} }).pool : null,
    changed: heads.filter(({ change }) => change > 0).length,
    heads,
  };
};

export const sample = (count: number): FineTuneResult =>
  resultOf(
    Array.from({ length: count }, (_, i) =>
      tunedHead(`L1.H${i}`, i === 0 ? 0 : 0.4 / i, i % 2 === 0 ? [0.5, 0.3, 0.2] : [0.1, 0.2, 0.7]),
    ),
  );

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
const [, changed] = sample(2).heads;
export const hostile: FineTuneResult = resultOf(
  [
    {
      ...changed,
      name: HOSTILE,
      directions: [{ singularValue: 1, share: 1, ends: [end(HOSTILE), end(HOSTILE)] }],
    },
  ],
  { base: HOSTILE, tuned: HOSTILE, notice: HOSTILE },
);
