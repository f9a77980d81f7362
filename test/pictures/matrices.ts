import type { Explanation } from "../../src/results/explain.ts";
import { sampleMatrix } from "../../src/views/explanation/sample.fixture.ts";

/** Four decimals, so that a committed page of data can be read. */
const rounded = (value: number) => Math.round(value * 1e4) / 1e4;

/**
 * The contributions of a sample in four decimals. `embed` takes up what is missing to the `similarity`, so the sum holds.
 * @param options `mlps`: the MLPs' values, from `embed` on; then `embed` is left as it is given
 */
export function matrix(
  text: string,
  shape: { layers: number; heads: number },
  { seed, similarity, mlps }: { seed: number; similarity: number; mlps?: readonly number[] },
): Explanation {
  const sample = sampleMatrix(text, shape, seed);
  const heads = sample.heads.map((head) => ({ ...head, value: rounded(head.value) }));
  const others = sample.mlps.map(({ component, value }, i) => ({
    component,
    value: rounded(mlps?.[i] ?? value),
  }));
  const total = () => rounded([...heads, ...others].reduce((sum, { value }) => sum + value, 0));
  if (mlps === undefined) others[0].value = rounded(others[0].value + similarity - total());
  return { text, similarity: total(), heads, mlps: others, sum: total(), error: 3e-8 };
}

/** The same of a model that pools by attention, whose pool has an MLP. */
export function pooledMatrix(explanation: Explanation, value: number): Explanation {
  const sum = rounded(explanation.sum + value);
  return {
    ...explanation,
    mlps: [...explanation.mlps, { component: "pool.MLP", value }],
    similarity: sum,
    sum,
  };
}
