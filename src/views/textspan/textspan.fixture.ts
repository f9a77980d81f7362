import type { SpanPanel, TextspanInput } from "./words.ts";

/** A head with `count` texts of falling shares. */
export function panel(name: string, count: number, resampled = true): SpanPanel {
  const ks = Array.from({ length: count }, (_, k) => k);
  return {
    name,
    rank: 35,
    texts: ks.map((k) => ({
      text: `text ${k} of ${name}`,
      property: k % 3 === 0 ? null : "colour",
      share: 0.2 / (k + 1),
      chosenShare: resampled ? 1 - k / 40 : null,
    })),
    random: { mean: ks.map((k) => k / 40), low: ks.map((k) => k / 60), high: ks.map((k) => k / 30) },
    ceiling: ks.map((k) => 1 - 0.8 ** (k + 1)),
    explained: resampled ? { low: 0.61, high: 0.72 } : null,
    overlap: resampled ? 0.83 : null,
  };
}

export const sample = (heads: number, count = 20, resampled = true): TextspanInput => ({
  subject: "tiny",
  images: 2000,
  pool: "915 texts (emoji)",
  resamples: resampled ? 32 : 0,
  panels: Array.from({ length: heads }, (_, h) => panel(`L3.H${h}`, count, resampled)),
});

/**
 * A head whose numbers all differ: shares that rise and fall, one below a per cent, texts that half of the resamples
 * keep and that fewer do, random texts that come close, and a text without a property.
 */
export const telling: SpanPanel = {
  name: "L2.H1",
  rank: 12,
  texts: [
    { text: "a red car", property: "colour", share: 0.31, chosenShare: 0.97 },
    { text: "something blue", property: "colour", share: 0.34, chosenShare: 0.5 },
    { text: "a photo", property: null, share: 0.12, chosenShare: 0.49 },
    { text: "three of them", property: "count", share: 0.003, chosenShare: 0 },
  ],
  random: { mean: [0.1, 0.22, 0.3, 0.35], low: [0.02, 0.1, 0.2, 0.26], high: [0.25, 0.36, 0.44, 0.5] },
  ceiling: [0.42, 0.71, 0.86, 0.93],
  explained: { low: 0.702, high: 0.811 },
  overlap: 0.64,
};

const HOSTILE = `</text><script>alert("1")</script>\u0000\u202e${"x".repeat(5000)}`;
export const hostile: TextspanInput = {
  ...sample(1),
  subject: HOSTILE,
  pool: HOSTILE.slice(0, 200),
  notice: HOSTILE,
  panels: [
    {
      ...panel(HOSTILE, 3),
      texts: [{ text: HOSTILE, property: HOSTILE, share: 0.5, chosenShare: 0.5 }],
    },
  ],
};
