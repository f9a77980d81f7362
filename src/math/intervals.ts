import { studentQuantile } from "./student.ts";

/*
 * Intervals of what repeated draws gave.
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
  return { mean, low: quantileOfSorted(sorted, 0.025), high: quantileOfSorted(sorted, 0.975) };
}

/** 95 % of Student's t about the mean of a sample; null of fewer than two values. */
export function studentInterval(values: readonly number[]): Interval | null {
  const deviation = sampleDeviation(values);
  if (deviation === null) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const reach = (studentQuantile(0.975, values.length - 1) * deviation) / Math.sqrt(values.length);
  return { mean, low: mean - reach, high: mean + reach };
}

/** The q-quantile of some values, linear between neighbours. */
export const quantile = (values: readonly number[], q: number): number =>
  quantileOfSorted(Float64Array.from(values).sort(), q);

function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Standard deviation of a sample (n − 1); null of fewer than two. */
export function sampleDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
