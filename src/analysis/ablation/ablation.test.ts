import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ComponentSet } from "../../model/components.ts";
import { allComponents } from "../../model/components.ts";
import type { ClassScores } from "../zero-shot/class-scores.ts";
import { createAblation, directionUnit, unitSet } from "./ablation.ts";

const [LAYERS, HEADS, CLASSES] = [2, 3, 2];

/** Scores that are the sum of their parts, as those of an index are. */
function scoresOf(numbers: readonly number[], rows: number): ClassScores {
  const size = rows * CLASSES;
  const part = (k: number) =>
    Float32Array.from(
      { length: size },
      (_, i) => numbers[(k * size + i) % numbers.length] * Math.sin(k + i + 1),
    );
  const heads = Array.from({ length: LAYERS * HEADS }, (_, unit) => part(unit));
  const mlps = Array.from({ length: LAYERS + 1 }, (_, term) => part(LAYERS * HEADS + term));
  const sum = (parts: readonly Float32Array[]) =>
    Float64Array.from({ length: size }, (_, i) => parts.reduce((total, of) => total + of[i], 0));
  return {
    ...{
      rows: Array.from({ length: rows }, (_, i) => i),
      classes: CLASSES,
      layers: LAYERS,
      heads: HEADS,
      headDim: 2,
    },
    whole: async () => Float32Array.from(sum([...heads, ...mlps])),
    head: async (layer, head) => heads[layer * HEADS + head],
    // Two directions a head: three and one quarter of it.
    direction: async (layer, head, direction) =>
      heads[layer * HEADS + head].map((value) => value * (direction === 0 ? 0.75 : 0.25)),
    mlp: async (term) => mlps[term],
    mlps: async () => sum(mlps),
  };
}

const numbers = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 5, maxLength: 40 });
const rows = fc.integer({ min: 1, max: 6 });
const weights = fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 9, maxLength: 9 });

/** The components that a list of weights takes in. */
const setOf = (of: readonly number[]): ComponentSet => ({
  heads: of
    .slice(0, 6)
    .flatMap((weight, unit) =>
      weight === 0 ? [] : [{ layer: Math.floor(unit / HEADS), head: unit % HEADS, weight }],
    ),
  mlps: of.slice(6).flatMap((weight, index) => (weight === 0 ? [] : [{ index, weight }])),
});

const near = (a: Float64Array, b: Float64Array) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], 5);
};

describe("direct ablation", () => {
  it("of all directions of a head is that of the head, and a weight is how much of it", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, rows, fc.constantFrom("mean", "zero"), async (of, n, replacement) => {
        const ablation = createAblation(scoresOf(of, n), { replacement });
        const along = (...weights: number[]) => ({
          ...{ heads: [], mlps: [] },
          directions: weights.map((weight, direction) => ({ layer: 1, head: 2, direction, weight })),
        });
        const head = (weight: number) => ({ heads: [{ layer: 1, head: 2, weight }], mlps: [] });
        near(await ablation.without(along(1, 1)), await ablation.without(head(1)));
        near(await ablation.without(along(0.5, 0.5)), await ablation.without(head(0.5)));
        near(await ablation.without(along(1)), await ablation.without(head(0.75)));
      }),
    );
  });

  it("numbers directions behind all heads", () => {
    const sizes = { layers: LAYERS, heads: HEADS, headDim: 2 };
    const unit = directionUnit(sizes, { layer: 1, head: 2, direction: 1 });
    expect(unitSet([unit, 4], sizes)).toEqual({
      heads: [{ layer: 1, head: 1, weight: 1 }],
      mlps: [],
      directions: [{ layer: 1, head: 2, direction: 1, weight: 1 }],
    });
    expect(unitSet([0], sizes)).not.toHaveProperty("directions");
  });

  it("of A and then of B is that of both", async () => {
    await fc.assert(
      fc.asyncProperty(
        numbers,
        rows,
        weights,
        fc.constantFrom("mean", "zero"),
        async (of, n, which, replacement) => {
          const ablation = createAblation(scoresOf(of, n), { replacement });
          const a = setOf(which.map((weight, i) => (i % 2 === 0 ? weight : 0)));
          const b = setOf(which.map((weight, i) => (i % 2 === 0 ? 0 : weight)));
          const stepwise = await ablation.without(a);
          for (const { layer, head, weight } of b.heads)
            await ablation.takeHead(stepwise, layer, head, weight);
          await ablation.takeMlps(stepwise, b.mlps);
          near(stepwise, await ablation.without(setOf(which)));
        },
      ),
    );
  });

  it("of everything to its mean leaves every image with the mean", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, rows, async (of, n) => {
        const scores = scoresOf(of, n);
        const left = await createAblation(scores).without(allComponents({ layers: LAYERS, heads: HEADS }));
        const whole = await scores.whole();
        const mean = [0, 1].map(
          (c) => whole.filter((_, i) => i % CLASSES === c).reduce((sum, x) => sum + x, 0) / n,
        );
        near(
          left,
          left.map((_, i) => mean[i % CLASSES]),
        );
      }),
    );
  });

  it("to zero is subtraction, and of everything leaves nothing", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, rows, async (of, n) => {
        const scores = scoresOf(of, n);
        const ablation = createAblation(scores, { replacement: "zero" });
        const part = await scores.head(1, 2);
        const whole = await ablation.whole();
        const left = await ablation.without({ heads: [{ layer: 1, head: 2, weight: 1 }], mlps: [] });
        near(
          left,
          whole.map((score, i) => score - part[i]),
        );
        const none = await ablation.without(allComponents({ layers: LAYERS, heads: HEADS }));
        near(
          none,
          none.map(() => 0),
        );
      }),
    );
  });

  it("takes means over the images it is given", async () => {
    const scores = scoresOf([1, 2, 3, 5, 8], 4);
    const set = { heads: [{ layer: 0, head: 1, weight: 1 }], mlps: [] };
    const left = await createAblation(scores, { meanOver: [2] }).without(set);
    const [whole, part] = [await scores.whole(), await scores.head(0, 1)];
    // At the one calibration image the head is what it is replaced by.
    for (const c of [0, 1]) expect(left[2 * CLASSES + c]).toBeCloseTo(whole[2 * CLASSES + c], 6);
    expect(left[0]).toBeCloseTo(whole[0] - part[0] + part[2 * CLASSES], 6);
  });
});
