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
  for (let i = 0; i < n; i++) sum += values[i];
  const mean = sum / n;
  let squares = 0;
  let [least, most] = [values[0], values[0]];
  for (let i = 0; i < n; i++) {
    const value = values[i];
    squares += (value - mean) ** 2;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { mean, deviation: Math.sqrt(squares / n), least, median: medianOf(values, least, most), most };
}

/** The middle value, or the mean of the two. */
function medianOf(values: Float64Array | Float32Array, least: number, most: number): number {
  const n = values.length;
  const { some, before } = inTheMiddle(values, least, most);
  const lower = Math.floor((n - 1) / 2) - before;
  const first = putInPlace(some, lower);
  if (n % 2 === 1) return first;
  let second = some[lower + 1];
  for (let i = lower + 2; i < some.length; i++) if (some[i] < second) second = some[i];
  return (first + second) / 2;
}

/** Parts of the range in which values are counted. */
const PARTS = 2 ** 14;

/**
 * A copy of the values in the parts of the range where the one or two in the middle lie, and how many lie below: finding the
 * median among all takes ten times as long as counting them.
 */
function inTheMiddle(values: Float64Array | Float32Array, least: number, most: number) {
  const n = values.length;
  const scale = (PARTS - 1) / (most - least);
  if (n < PARTS || !(scale > 0) || !Number.isFinite(scale)) return { some: values.slice(), before: 0 };
  const counts = new Uint32Array(PARTS);
  for (let i = 0; i < n; i++) counts[((values[i] - least) * scale) | 0]++;
  let [first, before] = [0, 0];
  while (before + counts[first] <= Math.floor((n - 1) / 2)) before += counts[first++];
  let [last, until] = [first, before + counts[first]];
  while (until <= Math.floor(n / 2)) until += counts[++last];
  const some = new (values.constructor as Float64ArrayConstructor)(until - before);
  for (let i = 0, at = 0; i < n; i++) {
    const part = ((values[i] - least) * scale) | 0;
    if (part >= first && part <= last) some[at++] = values[i];
  }
  return { some, before };
}

/** Puts the value with so many before it in order where it belongs, none larger before it and none smaller behind it. */
function putInPlace(some: Float64Array | Float32Array, place: number): number {
  let [first, last] = [0, some.length - 1];
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
    if (place <= j) last = j;
    else if (place >= i) first = i;
    else break;
  }
  return some[place];
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
