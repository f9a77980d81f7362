/**
 * How far judges agree beyond chance: Cohen's κ of each pair (Cohen, 1960), with each judge's own share of yes, and
 * Fleiss' κ of all (Fleiss, 1971), with one share for all. Both are (observed − expected)/(1 − expected).
 */
import type { Agreement } from "../results/judging.ts";

/** A judge's verdicts, in the same order for every judge. */
export interface Votes {
  readonly by: string;
  readonly consistent: readonly boolean[];
}

/**
 * The agreement of judges on the same verdicts; null of fewer than two judges or of no verdict.
 * @throws RangeError where one judge has more verdicts than another
 */
export function agreementOf(judges: readonly Votes[]): Agreement | null {
  const count = judges[0]?.consistent.length ?? 0;
  if (judges.some(({ consistent }) => consistent.length !== count)) {
    throw new RangeError("judges must have as many verdicts as each other");
  }
  if (judges.length < 2 || count === 0) return null;
  const pairs = judges.flatMap((a, i) =>
    judges.slice(i + 1).map((b) => ({ judges: [a.by, b.by] as [string, string], ...cohen(a, b) })),
  );
  return { verdicts: count, pairs, fleiss: fleiss(judges, count) };
}

function cohen({ consistent: a }: Votes, { consistent: b }: Votes) {
  const observed = a.filter((vote, i) => vote === b[i]).length / a.length;
  const [p, q] = [shareOfYes(a), shareOfYes(b)];
  return { observed, kappa: beyond(observed, p * q + (1 - p) * (1 - q)) };
}

function fleiss(judges: readonly Votes[], count: number): number | null {
  const n = judges.length;
  let [agreeing, yes] = [0, 0];
  for (let i = 0; i < count; i++) {
    const k = judges.filter(({ consistent }) => consistent[i]).length;
    agreeing += (k * (k - 1) + (n - k) * (n - k - 1)) / (n * (n - 1));
    yes += k / n;
  }
  const p = yes / count;
  return beyond(agreeing / count, p * p + (1 - p) * (1 - p));
}

const shareOfYes = (votes: readonly boolean[]) => votes.filter(Boolean).length / votes.length;

/** κ; null where all say the same of everything, so that chance explains it whole. */
const beyond = (observed: number, expected: number): number | null =>
  1 - expected < 1e-12 ? null : (observed - expected) / (1 - expected);

/** The votes of several heads as one list a judge; heads that another set of judges voted on are left out. */
export function joinVotes(heads: readonly (readonly Votes[])[]): Votes[] {
  const first = heads.find((votes) => votes.length > 0) ?? [];
  const same = heads.filter(
    (votes) => votes.length === first.length && votes.every(({ by }, i) => by === first[i].by),
  );
  return first.map(({ by }, i) => ({ by, consistent: same.flatMap((votes) => votes[i].consistent) }));
}
