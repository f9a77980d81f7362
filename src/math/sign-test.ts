/**
 * The one-sided sign test: how likely at least so many wins are in `wins + losses` tosses of a fair coin. Pairs that do
 * not differ are left out before.
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses;
  // C(n, k)/2ⁿ by logarithms, so that it does not run over.
  let log = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= n; k++) {
    if (k >= wins) tail += Math.exp(log);
    log += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, tail);
}
