import { normalCdf } from "./normal.ts";

/**
 * The p-quantile of Student's t distribution with a whole number of degrees of freedom.
 *
 * The distribution function is a finite sum (Abramowitz & Stegun 26.7.3 and 26.7.4), inverted by halving.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, degrees);
  let high = 1;
  while (upperHalf(high, degrees) < p) high *= 2;
  let low = 0;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (upperHalf(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(T ≤ t) for t ≥ 0. */
function upperHalf(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  // Σ of products (2/3)(4/5)… cosᵏ for odd degrees, (1/2)(3/4)… cosᵏ for even ones.
  let term = odd ? cos : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= ((k - 1) / k) * cos * cos;
    sum += term;
  }
  const inside = odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum;
  return 0.5 + inside / 2;
}

/** P(|T| ≥ |t|): the two-sided p-value of Student's t with a whole number of degrees of freedom. */
export const studentP = (t: number, degrees: number): number => 2 * (1 - upperHalf(Math.abs(t), degrees));

/**
 * P(T' > t) of the noncentral t distribution, (Z + shift)/√(χ²/k) with k degrees of freedom: the power of a one-sided
 * t-test whose true effect is `shift` standard errors. Integrated over s = √(χ²/k) by Simpson's rule:
 *
 *     ∫ Φ(shift − t·s)·f(s) ds,   f(s) = 2·(k/2)^(k/2)/Γ(k/2) · s^(k−1)·e^(−k·s²/2)
 */
export function noncentralTail(t: number, degrees: number, shift: number): number {
  const half = degrees / 2;
  const scale = Math.log(2) + half * Math.log(half) - logGammaOfHalf(degrees);
  const density = (s: number): number =>
    s === 0
      ? degrees === 1
        ? Math.exp(scale)
        : 0
      : Math.exp(scale + (degrees - 1) * Math.log(s) - half * s ** 2);
  const [steps, end] = [1000, 1 + 12 / Math.sqrt(degrees)];
  const width = end / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const s = i * width;
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * normalCdf(shift - t * s) * density(s);
  }
  return Math.min(1, (sum * width) / 3);
}

/**
 * The least true effect, in standard errors, that a two-sided t-test at level `alpha` finds with probability `power`.
 */
export function detectableShift(alpha: number, power: number, degrees: number): number {
  const critical = studentQuantile(1 - alpha / 2, degrees);
  // What the wrong side adds is nothing at any power worth asking for.
  const found = (shift: number) => noncentralTail(critical, degrees, shift);
  let [low, high] = [0, 1];
  while (found(high) < power) high *= 2;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (found(middle) < power) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** ln Γ(k/2) for a whole k ≥ 1. */
function logGammaOfHalf(k: number): number {
  let log = k % 2 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let at = k % 2 === 0 ? 2 : 1; at < k; at += 2) log += Math.log(at / 2);
  return log;
}
