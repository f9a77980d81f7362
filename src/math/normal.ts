/**
 * The standard normal distribution function Φ(x), to about 1e-15: the series of Abramowitz & Stegun 26.2.10 near 0, the
 * continued fraction 26.2.14 in the tails.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  if (size > 38) return x > 0 ? 1 : 0;
  const density = Math.exp(-(size ** 2) / 2) / Math.sqrt(2 * Math.PI);
  if (size < 3) {
    let term = size;
    let sum = size;
    for (let k = 1; term > sum * 1e-17 && k < 200; k++) {
      term *= size ** 2 / (2 * k + 1);
      sum += term;
    }
    return x > 0 ? 0.5 + density * sum : 0.5 - density * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / (size + fraction);
  const tail = density / (size + fraction);
  return x > 0 ? 1 - tail : tail;
}
