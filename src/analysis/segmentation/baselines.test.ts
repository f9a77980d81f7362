import { describe, expect, it } from "vitest";
import { attentionRollout, rawAttention } from "./baselines.ts";

/** Attention of random rows that sum to one: [L, N, N]. */
function randomAttention(layers: number, tokens: number): Float32Array {
  const attention = Float32Array.from({ length: layers * tokens * tokens }, (_, i) => 1 + ((i * 7919) % 13));
  for (let start = 0; start < attention.length; start += tokens) {
    const sum = attention.subarray(start, start + tokens).reduce((total, value) => total + value, 0);
    for (let i = start; i < start + tokens; i++) attention[i] /= sum;
  }
  return attention;
}

/** Whole matrices in float64, as the paper writes it: Ã(l)·…·Ã(start), Ã = 0.5·A + 0.5·I. */
function wholeRollout(
  attention: Float32Array,
  layers: number,
  tokens: number,
  startLayer: number,
): number[][] {
  const identity = (i: number, j: number): number => (i === j ? 1 : 0);
  const range = Array.from({ length: tokens }, (_, i) => i);
  let joint = range.map((i) => range.map((j) => identity(i, j)));
  for (let layer = startLayer; layer < layers; layer++) {
    const own = range.map((i) =>
      range.map((j) => 0.5 * attention[(layer * tokens + i) * tokens + j] + 0.5 * identity(i, j)),
    );
    const before = joint;
    joint = own.map((row) => range.map((j) => row.reduce((sum, value, k) => sum + value * before[k][j], 0)));
  }
  return joint;
}

const CLS = (tokens: number) => ({ prefix: 1, readsCls: true, tokens, patches: tokens - 1 }) as const;

describe("attentionRollout", () => {
  const [layers, tokens] = [4, 5];
  const attention = randomAttention(layers, tokens);

  it.each([0, 1, 3])("is the CLS row of the whole product from layer %i on", (startLayer) => {
    const expected = wholeRollout(attention, layers, tokens, startLayer)[0].slice(1);
    const rolled = attentionRollout({ ...CLS(tokens), attention, layers }, { startLayer });
    for (const [i, value] of rolled.entries()) expect(value).toBeCloseTo(expected[i], 12);
  });

  it("by hand: two tokens, one layer", () => {
    const single = Float32Array.of(0.25, 0.75, 0.5, 0.5);
    expect([...attentionRollout({ ...CLS(2), attention: single, layers: 1 })]).toEqual([0.375]);
  });

  it("reads the image that it is asked for", () => {
    const both = Float32Array.of(...randomAttention(1, 5), ...attention.slice(0, 25).toReversed());
    const second = attention.slice(0, 25).toReversed();
    expect(attentionRollout({ ...CLS(tokens), attention: both, layers: 1 }, { image: 1 })).toEqual(
      attentionRollout({ ...CLS(tokens), attention: second, layers: 1 }),
    );
  });
});

describe("rawAttention", () => {
  it("is the last layer's CLS row without the CLS token", () => {
    const attention = Float32Array.from({ length: 2 * 9 }, (_, i) => i);
    const outputs = { ...CLS(3), layers: 2 };
    expect([...rawAttention({ ...outputs, attention })]).toEqual([10, 11]);
  });

  it("is the mean of all patches' rows where CLS is not read", () => {
    const attention = Float32Array.of(9, 9, 9, 9, 1, 2, 9, 3, 6);
    const outputs = { prefix: 1, readsCls: false, tokens: 3, patches: 2, layers: 1 } as const;
    expect([...rawAttention({ ...outputs, attention })]).toEqual([2, 4]);
    const square = Float32Array.of(1, 2, 3, 6);
    expect([...rawAttention({ ...outputs, prefix: 0, tokens: 2, attention: square })]).toEqual([2, 4]);
  });
});
