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
  let [least, most] = [values[0], values[0]];
  for (let i = 1; i < n; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return { mean, deviation: Math.sqrt(variance), least, median: medianOf(values), most };
}

/** The middle value, or the mean of the two: found without putting all in order, in some 2·n comparisons. */
function medianOf(values: Float64Array | Float32Array): number {
  const some = values.slice();
  const n = some.length;
  const lower = Math.floor((n - 1) / 2);
  let [first, last] = [0, n - 1];
  while (first < last) {
    const pivot = some[(first + last) >> 1];
    let [i, j] = [first, last];
    while (i <= j) {
      while (some[i] < pivot) i++;
      while (some[j] > pivot) j--;
      if (i > j) break;
      const value = some[i];
      some[i++] = some[j];
      some[j--] = value;
    }
    if (lower <= j) last = j;
    else if (lower >= i) first = i;
    else break;
  }
  let upper = some[lower];
  if (n % 2 === 0) {
    upper = some[lower + 1];
    for (let i = lower + 2; i < n; i++) if (some[i] < upper) upper = some[i];
  }
  return (some[lower] + upper) / 2;
}

/** For each of some values, the share of `all` that lies below it, in per cent. */
export function percentiles(all: Float64Array | Float32Array, of: readonly number[]): number[] {
  const steps = Float64Array.from(new Set(of)).sort();
  /** How many of all are below the first step, the second but not the first, …; others are below none. */
  const counts = new Float64Array(steps.length + 1);
  for (let i = 0; i < all.length; i++) {
    const value = all[i];
    let [low, high] = [0, steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value < steps[middle]) high = middle;
      else low = middle + 1;
    }
    counts[low]++;
  }
  const below = new Map<number, number>();
  let sum = 0;
  for (const [i, step] of steps.entries()) {
    sum += counts[i];
    below.set(step, sum);
  }
  return of.map((value) => (100 * below.get(value)!) / all.length);
}
