import type { PoolText } from "../text/pool.ts";
import { countLabels, DESCRIPTIONS } from "./metrics.ts";

/**
 * What CCS is worth under a labeller that takes the most frequent tag and a judge that compares tags: CCS is then the
 * count of the most frequent tag among a head's descriptions. So it is 1 at least where any text has a tag, and high by
 * chance for a pool of which most texts have one tag. Here: its exact distribution for K texts drawn at random, without
 * repetition, from a pool with n_g texts of tag g and n_0 without a tag:
 *
 *     P(count ≤ k) = [xᴷ] (1 + x)^n_0 · Π_g Σ_{j ≤ k} C(n_g, j)·xʲ / C(N, K)
 *
 * @returns [K + 1]: the probability of each count, 0 … K
 * @throws RangeError for a pool of fewer than K texts
 */
export function pluralityByChance(texts: readonly PoolText[], draws = DESCRIPTIONS): number[] {
  if (texts.length < draws) throw new RangeError(`a pool of ${texts.length} texts has no ${draws} to draw`);
  const tags = texts.flatMap(({ property }) => (property === null ? [] : [property]));
  const sizes = [...countLabels(tags).values()];
  const all = choose(texts.length, draws);
  const atMost = (k: number): number => {
    let ways = polynomial(texts.length - tags.length, draws, draws);
    for (const size of sizes) ways = multiply(ways, polynomial(size, k, draws));
    return ways[draws] / all;
  };
  const cumulative = Array.from({ length: draws + 1 }, (_, k) => atMost(k));
  return cumulative.map((value, k) => (k === 0 ? value : Math.max(0, value - cumulative[k - 1])));
}

/** C(n, 0), …, C(n, most), then zeros: [degree + 1]. */
const polynomial = (n: number, most: number, degree: number): number[] =>
  Array.from({ length: degree + 1 }, (_, j) => (j <= most ? choose(n, j) : 0));

/** The product of two polynomials, cut off after their degree. */
const multiply = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((_, degree) => {
    let sum = 0;
    for (let i = 0; i <= degree; i++) sum += a[i] * b[degree - i];
    return sum;
  });

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 0; i < k; i++) ways *= (n - i) / (i + 1);
  return ways;
}
