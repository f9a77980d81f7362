import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allComponents, type ComponentSet } from "./components.ts";
import type { Decomposition } from "./decomposition.ts";
import type { HeadGeometry } from "./geometry.ts";
import { headContribution, headCoordinates, headMatrix, prepareProbe } from "./head-space.ts";
import { scoreComponents, scoreImages, scoreTokens } from "./kernel.ts";
import { contrastProbe, imageProbe, unitProbe } from "./probe.ts";
import type { TokenTerms } from "./token-terms.ts";

/** A small made-up model and the decomposition of two images, numbers drawn by fast-check. */
interface World {
  readonly geometry: HeadGeometry;
  readonly parts: Decomposition;
  readonly tokens: TokenTerms;
  readonly v: Float64Array;
  readonly set: ComponentSet;
}

const [layers, heads, headDim, embedDim, tokenCount, images] = [2, 3, 4, 5, 6, 2];
const terms = 2 * layers + 1;
/** Eighths: every product and sum of a few is exact in float32, so what is left to differ is the algebra. */
const numbers = (length: number, min = -2, max = 2) =>
  fc
    .array(fc.integer({ min: min * 8, max: max * 8 }), { minLength: length, maxLength: length })
    .map((eighths) => Float32Array.from(eighths, (value) => value / 8));

const world: fc.Arbitrary<World> = fc
  .record({
    M: numbers(layers * heads * headDim * embedDim),
    k: numbers(layers * embedDim),
    s: numbers(embedDim),
    b: numbers(embedDim),
    mu: numbers(images),
    sigma: numbers(images, 0.5, 2),
    norm: numbers(images, 0.5, 2),
    embedding: numbers(images * embedDim),
    mlps: numbers(images * (layers + 1) * embedDim),
    attention: numbers(images * layers * heads * tokenCount, 0, 1),
    values: numbers(images * layers * tokenCount * heads * headDim),
    v: numbers(embedDim),
    weights: numbers(layers * heads + layers + 1),
  })
  .map((drawn) => {
    const size = { attention: images * heads * tokenCount, values: images * tokenCount * heads * headDim };
    const layerTerms = Array.from({ length: layers }, (_, layer) => ({
      attention: drawn.attention.subarray(layer * size.attention, (layer + 1) * size.attention),
      values: drawn.values.subarray(layer * size.values, (layer + 1) * size.values),
    }));
    const z = new Float32Array(images * layers * heads * headDim);
    for (let at = 0; at < z.length; at++) {
      const [i, head, layer, image] = split(at, headDim, heads, layers);
      for (let token = 0; token < tokenCount; token++) {
        const attention = layerTerms[layer].attention[(image * heads + head) * tokenCount + token];
        z[at] +=
          attention * layerTerms[layer].values[((image * tokenCount + token) * heads + head) * headDim + i];
      }
    }
    const { M, k, s, b, embedding, mlps } = drawn;
    const { heads: headSet, mlps: mlpSet } = allComponents({ layers, heads });
    return {
      geometry: { layers, heads, headDim, embedDim, terms, M, k, s, b },
      parts: {
        ...{ count: images, z, embedding, mlps, error: new Float64Array(images) },
        mu: Float64Array.from(drawn.mu),
        sigma: Float64Array.from(drawn.sigma),
        norm: Float64Array.from(drawn.norm),
      },
      tokens: {
        tokens: tokenCount,
        prefix: 1,
        patches: tokenCount - 1,
        layers: new Map(layerTerms.entries()),
      },
      v: Float64Array.from(drawn.v),
      set: {
        heads: headSet.map((head, i) => ({ ...head, weight: drawn.weights[i] })),
        mlps: mlpSet.map((mlp, i) => ({ ...mlp, weight: drawn.weights[headSet.length + i] })),
      },
    };
  });

/** Splits a flat index into its digits, fastest axis first. */
const split = (index: number, ...sizes: number[]): number[] => {
  const digits: number[] = [];
  let rest = index;
  for (const size of sizes) {
    digits.push(rest % size);
    rest = Math.floor(rest / size);
  }
  return [...digits, rest];
};
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const close = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected)).toBeLessThan(1e-9 * (1 + Math.abs(expected)));

describe("the algebra of heads", () => {
  it("z̃·M̃ is { γ⊙(z·W_O + b_O/H − μ/(nH))/σ + β/(nH) }·P/‖e‖, written out term by term", () => {
    fc.assert(
      fc.property(world, ({ geometry, parts }) => {
        const { M, k, s, b } = geometry;
        for (const [layer, head, image] of [
          [0, 0, 0],
          [1, 2, 1],
        ]) {
          const direct = Array.from({ length: embedDim }, (_, d) => {
            let write = 0;
            for (let i = 0; i < headDim; i++) {
              write +=
                parts.z[((image * layers + layer) * heads + head) * headDim + i] *
                M[((layer * heads + head) * headDim + i) * embedDim + d];
            }
            const shifted =
              write + k[layer * embedDim + d] / heads - (parts.mu[image] * s[d]) / (terms * heads);
            return (shifted / parts.sigma[image] + b[d] / (terms * heads)) / parts.norm[image];
          });
          const dense = headContribution(geometry, parts, layer, head, image);
          for (let d = 0; d < embedDim; d++) close(dense[d], direct[d]);
        }
      }),
    );
  });

  it("the kernel's score of a head is its dense contribution times the probe", () => {
    fc.assert(
      fc.property(world, ({ geometry, parts, v }) => {
        const scores = scoreComponents(geometry, prepareProbe(geometry, v), parts, 1);
        for (let at = 0; at < layers * heads; at++) {
          const [head, layer] = split(at, heads);
          close(scores.heads[at], dot(headContribution(geometry, parts, layer, head, 1), v));
        }
      }),
    );
  });

  it("scores add over sets, with weights, and along images equal the sum along components", () => {
    fc.assert(
      fc.property(world, ({ geometry, parts, v, set }) => {
        const probe = prepareProbe(geometry, v);
        const whole = scoreImages(geometry, probe, parts, set);
        const one = scoreImages(geometry, probe, parts, { heads: set.heads.slice(0, 2), mlps: [] });
        const rest = scoreImages(geometry, probe, parts, { heads: set.heads.slice(2), mlps: set.mlps });
        for (let image = 0; image < images; image++) {
          close(one[image] + rest[image], whole[image]);
          const { heads: headScores, mlps } = scoreComponents(geometry, probe, parts, image);
          const weights = [...set.heads, ...set.mlps].map(({ weight }) => weight);
          close(dot([...headScores, ...mlps], weights), whole[image]);
        }
      }),
    );
  });

  it("tokens add to the head, and to the set", () => {
    fc.assert(
      fc.property(world, ({ geometry, parts, tokens, v, set }) => {
        const probe = prepareProbe(geometry, v);
        const heads = { heads: set.heads, mlps: [] };
        for (let image = 0; image < images; image++) {
          const map = scoreTokens(geometry, probe, parts, tokens, heads, image);
          expect(map).toHaveLength(tokenCount);
          close(
            map.reduce((sum, value) => sum + value, 0),
            scoreImages(geometry, probe, parts, heads)[image],
          );
        }
      }),
    );
  });

  it("a contrast scores the difference of its texts", () => {
    fc.assert(
      fc.property(
        world,
        numbers(embedDim),
        numbers(embedDim),
        ({ geometry, parts, v, set }, other, third) => {
          const score = (probe: Float64Array) =>
            scoreImages(geometry, prepareProbe(geometry, probe), parts, set)[0];
          const others = [Float64Array.from(other), Float64Array.from(third)];
          close(score(contrastProbe(v, others)), score(v) - (score(others[0]) + score(others[1])) / 2);
        },
      ),
    );
  });

  it("an image seen through a set scores itself with the squared length of its summed contributions", () => {
    fc.assert(
      fc.property(world, ({ geometry, parts, set }) => {
        const v = imageProbe({ geometry }, parts, set, 1);
        const score = scoreImages(geometry, prepareProbe(geometry, v), parts, set)[1];
        close(score, dot(v, v));
      }),
    );
  });

  it("coordinates times matrix is the contribution; a text probe has length 1", () => {
    fc.assert(
      fc.property(world, numbers(embedDim, 1, 2), ({ geometry, parts }, embedding) => {
        const coordinates = headCoordinates(geometry, parts, 1, 1, 0);
        const matrix = headMatrix(geometry, 1, 1);
        const contribution = headContribution(geometry, parts, 1, 1, 0);
        const column = Array.from({ length: headDim + 3 }, (_, row) => matrix[row * embedDim + 2]);
        close(dot(coordinates, column), contribution[2]);
        const probe = unitProbe(embedding);
        expect(dot(probe, probe)).toBeCloseTo(1, 12);
      }),
    );
  });
});
