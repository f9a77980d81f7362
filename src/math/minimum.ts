/*
 * An interval for the lowest of several shares. The group that looks worst was selected for it: where several are about
 * as bad, it is the unluckiest, and an interval for that group alone lies too low.
 */
import { logFactorial } from "./factorial.ts";
import { wilson } from "./wilson.ts";

/** Hits of one group's n images. */
export interface GroupCount {
  readonly hits: number;
  readonly n: number;
}

const TAIL = 0.025;
/** Halvings of [0, 1] that find the upper end, to 1e-12. */
const HALVINGS = 40;

/**
 * The lowest share of some groups with a 95 % interval for the lowest of the true shares, by a bootstrap of the minimum:
 * images are drawn again within their groups. Hits drawn again are binomial, so nothing has to be drawn, and the
 * minimum's distribution is known exactly:
 *
 *     P(min* ≤ m) = 1 − Π_g P(Bin(n_g, p_g) > m·n_g)
 *
 * Its percentiles are no interval: with many groups alike the minimum of a resample is unlucky twice, and they hold the
 * true minimum never. So the bootstrap is turned round. The upper end is the least p at which a minimum as low as
 * the one seen comes about in 2.5 % of resamples, were every group that did worse than p as good as p, and the others as
 * good as they did. The lower end is the lowest of the groups' own (Wilson's), whichever of them is truly the worst.
 * @param groups at least one, each with an image
 */
export function minimumShare(groups: readonly GroupCount[]): { share: number; low: number; high: number } {
  const share = Math.min(...groups.map(({ hits, n }) => hits / n));
  const low = Math.min(...groups.map(({ hits, n }) => wilson(hits, n).low));
  const tails = groups.map(({ hits, n }) => ({
    own: hits / n,
    at: binomialTail(Math.floor(share * n + 1e-9), n),
  }));
  let [under, high] = [share, 1];
  for (let step = 0; step < HALVINGS; step++) {
    const p = (under + high) / 2;
    let above = 1;
    for (const { own, at } of tails) above *= 1 - at(Math.max(own, p));
    if (1 - above > TAIL) under = p;
    else high = p;
  }
  return { share, low, high };
}

/** P(Bin(n, p) ≤ k) as a function of p. */
export function binomialTail(k: number, n: number): (p: number) => number {
  const logChoose = logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  return (p) => {
    if (k >= n || p <= 0) return 1;
    if (p >= 1) return 0;
    const odds = p / (1 - p);
    let term = Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p));
    // Sum the side of k on which terms fall.
    if (k <= n * p) {
      let sum = 0;
      for (let i = k; i >= 0 && term > sum * 1e-17; i--) {
        sum += term;
        term *= i / ((n - i + 1) * odds);
      }
      return Math.min(1, sum);
    }
    let above = 0;
    for (let i = k; i < n; i++) {
      term *= ((n - i) * odds) / (i + 1);
      if (term <= above * 1e-17) break;
      above += term;
    }
    return Math.max(0, 1 - above);
  };
}
