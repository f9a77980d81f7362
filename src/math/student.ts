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
