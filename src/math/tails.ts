/*
 * How far out a value lies: tails of distributions, and what many of them at once allow to say.
 */

/** log Γ(a) for a > 0 (Lanczos, g = 7). */
function logGamma(a: number): number {
  if (a < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * a)) - logGamma(1 - a);
  const x = a - 1;
  const sum = LANCZOS.reduce((total, c, i) => (i === 0 ? c : total + c / (x + i)), 0);
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** P(X ≥ x) of a gamma distribution with shape a > 0 and scale 1: Γ(a, x)/Γ(a). */
export function gammaTail(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    // γ(a, x) as a series.
    let term = 1 / a;
    let sum = term;
    for (let n = 1; Math.abs(term) > sum * 1e-15 && n < 10_000; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.min(1, Math.max(0, 1 - front * sum));
  }
  // Γ(a, x) as a continued fraction (Lentz).
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / (step * d + b);
    c = b + step / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return Math.min(1, Math.max(0, front * h));
}

/** P(|Z| ≥ |z|) of a standard normal Z. */
export const normalTails = (z: number): number => gammaTail(0.5, (z * z) / 2);

/**
 * p-values adjusted for how many there are (Benjamini and Hochberg 1995): of those that are at most q, a share of q at
 * most is expected to be there by chance alone.
 */
export function adjusted(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((i, j) => ps[j] - ps[i]);
  const result = new Array<number>(ps.length);
  let least = 1;
  for (const [k, i] of order.entries()) {
    least = Math.min(least, (ps[i] * ps.length) / (ps.length - k));
    result[i] = least;
  }
  return result;
}

/** Largest p-value, adjusted, at which something is said to be there. */
export const LEVEL = 0.05;

/** Whether something is there beyond chance, by a p-value that is adjusted for all that was measured beside it. */
export const isAboveChance = ({ p }: { readonly p: number }): boolean => p <= LEVEL;
