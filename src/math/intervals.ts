/*
 * Intervals: of what repeated draws gave, and of a share that was counted.
 */

/** Where the middle 95 % of some draws lie, and their mean. */
export interface Interval {
  readonly mean: number;
  /** The 2.5th percentile. */
  readonly low: number;
  /** The 97.5th percentile. */
  readonly high: number;
}

/** The percentile interval of draws; null of none. */
export function percentileInterval(draws: readonly number[]): Interval | null {
  if (draws.length === 0) return null;
  const sorted = Float64Array.from(draws).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** The q-quantile of sorted values, linear between neighbours. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Wilson's 95 % score interval of a share of `count` in `of`; 0–1 of none. */
export function wilsonInterval(count: number, of: number): { readonly low: number; readonly high: number } {
  if (of === 0) return { low: 0, high: 1 };
  const z2 = 1.959963984540054 ** 2;
  const share = count / of;
  const centre = share + z2 / (2 * of);
  const half = Math.sqrt(z2 * ((share * (1 - share)) / of + z2 / (4 * of * of)));
  const scale = 1 + z2 / of;
  return { low: Math.max(0, (centre - half) / scale), high: Math.min(1, (centre + half) / scale) };
}

/** Standard deviation of a sample (n − 1); null of fewer than two. */
export function sampleDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
