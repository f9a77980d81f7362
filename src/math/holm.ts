/**
 * Holm's correction for many tests (1979): the chance that any of them is called significant where nothing is, is held.
 * The k-th smallest of m p-values is multiplied by m − k + 1, and none is below one that was smaller.
 * @returns corrected p-values, in the order of those given
 */
export function holm(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const corrected = new Array<number>(values.length);
  let highest = 0;
  for (const [rank, i] of order.entries()) {
    highest = Math.max(highest, Math.min(1, values[i] * (values.length - rank)));
    corrected[i] = highest;
  }
  return corrected;
}
