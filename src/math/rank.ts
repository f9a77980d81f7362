/*
 * The largest of many numbers, and what all of them are like. Ties go to the lower index.
 */

/** Indices of the k largest values, largest first. */
export function largest(values: ArrayLike<number>, k: number, skip?: ReadonlySet<number>): number[] {
  return select(values, k, 1, skip);
}

/** Indices of the k smallest values, smallest first. */
export function smallest(values: ArrayLike<number>, k: number, skip?: ReadonlySet<number>): number[] {
  return select(values, k, -1, skip);
}

/** Keeps a sorted list of the best so far; nearly every value fails the first comparison. */
function select(values: ArrayLike<number>, k: number, sign: 1 | -1, skip?: ReadonlySet<number>): number[] {
  const chosen: number[] = [];
  if (k < 1) return chosen;
  let worst = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = sign * values[i];
    if ((chosen.length === k ? !(value > worst) : Number.isNaN(value)) || skip?.has(i)) continue;
    let at = chosen.length;
    while (at > 0 && sign * values[chosen[at - 1]] < value) at--;
    chosen.splice(at, 0, i);
    if (chosen.length > k) chosen.pop();
    worst = sign * values[chosen[chosen.length - 1]];
  }
  return chosen;
}

/** What a set of numbers is like. */
export interface Distribution {
  readonly mean: number;
  /** Standard deviation, of the population. */
  readonly deviation: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** Summarises numbers; all zero when there are none. */
export function distribution(values: Float64Array | Float32Array): Distribution {
  const n = values.length;
  if (n === 0) return { mean: 0, deviation: 0, least: 0, median: 0, most: 0 };
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const variance = squares / n;
  const sorted = values.slice().sort();
  const median = (sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2;
  return { mean, deviation: Math.sqrt(variance), least: sorted[0], median, most: sorted[n - 1] };
}

/** For each of some values, the share of `all` that lies below it, in per cent. */
export function percentiles(all: Float64Array | Float32Array, of: readonly number[]): number[] {
  return of.map((value) => {
    let below = 0;
    for (const other of all) if (other < value) below++;
    return (100 * below) / all.length;
  });
}
