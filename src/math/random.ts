/** A small deterministic source of random numbers: the same seed gives the same stream everywhere. */

/** Scrambles a 32-bit integer so that neighbouring inputs give unrelated outputs (murmur3's finaliser). */
export function hash32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Random draws from one stream (mulberry32). */
export class Random {
  private state: number;

  /** The stream of element `index` of the family `seed`; streams of one family are independent. */
  constructor(seed: number, index = 0) {
    this.state = hash32(hash32(seed + 0x9e3779b9) ^ Math.imul(index + 1, 0x9e3779b1));
  }

  /** A number in [0, 1). */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A number of the standard normal distribution (Box and Muller's transform). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.unit() < p;
  }

  /** One element of a list. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

/** Puts values into a random order, in place (Fisher & Yates). */
export function shuffle(values: Float64Array, random: Random): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
}
