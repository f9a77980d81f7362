import { logFactorial } from "./factorial.ts";

/**
 * How likely a set that is drawn at random without return has at least so many of a kind: P(X ≥ hits), exact.
 * @param drawn size of the set
 * @param kind how many of the kind there are in all
 * @param all how many there are to draw from
 */
export function atLeastByChance(hits: number, drawn: number, kind: number, all: number): number {
  const most = Math.min(drawn, kind);
  if (hits <= Math.max(0, drawn + kind - all)) return 1;
  if (hits > most) return 0;
  // Below the mean the terms rise first: the other tail is the exact one to sum.
  if (hits * all <= drawn * kind) return 1 - tail(drawn - hits + 1, drawn, all - kind, all);
  return tail(hits, drawn, kind, all);
}

/** The sum of terms from one on that lies above the mean, so that each is smaller than the one before. */
function tail(from: number, drawn: number, kind: number, all: number): number {
  let term = Math.exp(logChoose(kind, from) + logChoose(all - kind, drawn - from) - logChoose(all, drawn));
  let sum = 0;
  for (let i = from; i <= Math.min(drawn, kind) && term > sum * 1e-17; i++) {
    sum += term;
    term *= ((kind - i) * (drawn - i)) / ((i + 1) * (all - kind - drawn + i + 1));
  }
  return Math.min(1, sum);
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
