import type { ExplainResult, Explanation } from "../../results/explain.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headOf } from "../../results/shapes.ts";

/** Random but plausible contributions for tests: late layers and a few heads are strongest, and the sum holds. */
export function sampleMatrix(text: string, shape: { layers: number; heads: number }, seed = 1): Explanation {
  let state = seed * 7919;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const count = shape.layers * shape.heads;
  const spread = 0.04 * (16 / count) ** 0.3;
  const heads = Array.from({ length: count }, (_, index) => {
    const layer = Math.floor(index / shape.heads);
    const depth = ((layer + 1) / shape.layers) ** 1.6;
    const peaked = (uniform() + uniform() + uniform() - 1.5) ** 3 * (1 + uniform());
    return { ...headOf(layer, index % shape.heads), value: depth * (spread * peaked + 0.3 / count) };
  });
  const mlps = Array.from({ length: shape.layers + 1 }, (_, index) => ({
    component: index === 0 ? "embed" : `L${index - 1}.MLP`,
    value: ((uniform() - 0.35) * 0.12 * (index + 1)) / shape.layers ** 1.5,
  }));
  const sum = [...heads, ...mlps].reduce((total, { value }) => total + value, 0);
  return { text, similarity: sum + 3e-8, heads, mlps, sum, error: 3e-8 };
}

/** A result with these texts. @param about what of its origin is not as always */
export const sampleExplanation = (
  texts: Explanation[],
  about: { model?: string; image?: string; notice?: string } = {},
): ExplainResult => ({
  origin: sampleOrigin({
    model: { ...(about.model !== undefined && { name: about.model }), notice: about.notice ?? null },
    image: { ...(about.image !== undefined && { name: about.image }) },
  }),
  sumError: 1e-7,
  texts,
});
