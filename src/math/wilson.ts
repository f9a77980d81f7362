const Z = 1.959964;

/** The share hits/n with Wilson's 95 % interval, which holds for small n and shares near 0 and 1 too; of nothing, 0 with the interval from 0 to 1. */
export function wilson(hits: number, n: number) {
  if (n === 0) return { share: 0, low: 0, high: 1, n };
  const p = hits / n;
  const spread = Z ** 2 / n;
  const middle = (p + spread / 2) / (1 + spread);
  const reach = (Z * Math.sqrt((p * (1 - p)) / n + spread / (4 * n))) / (1 + spread);
  return { share: p, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach), n };
}
