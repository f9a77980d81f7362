/** A share of n with Wilson's 95 % interval, which holds for small n and shares near 0 and 1 too. */
export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const Z = 1.959964;

/** The share hits/n; of nothing, 0 with the interval from 0 to 1. */
export function wilson(hits: number, n: number): Share {
  if (n === 0) return { share: 0, low: 0, high: 1, n };
  const p = hits / n;
  const spread = Z ** 2 / n;
  const middle = (p + spread / 2) / (1 + spread);
  const reach = (Z * Math.sqrt((p * (1 - p)) / n + spread / (4 * n))) / (1 + spread);
  return { share: p, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach), n };
}
