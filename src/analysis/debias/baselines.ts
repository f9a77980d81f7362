/**
 * What takes a cue out of the embedding without knowing of heads, on the same images and halves: the projection away
 * from the cue's texts; the projection away from the difference of its means; LEACE (`math/concept-erasure.ts`); and a
 * linear probe of the classes on the validation embeddings, which is no removal but what a user with as many labels
 * would do ("Last Layer Re-Training is Sufficient for Robustness to Spurious Correlations", Kirichenko et al. 2023).
 */
import { positiveSolver } from "../../math/cholesky.ts";
import { type Eraser, leace, projectOut, projectOutMeans } from "../../math/concept-erasure.ts";
import { addScaled, dot } from "../../math/linear.ts";
import type { BaselineName } from "../../results/debias.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { lowestShares, problemHits } from "../zero-shot/problem.ts";
import type { Partition } from "../zero-shot/zero-shot.ts";
import type { SplitProblem } from "./cue-problem.ts";

/** One way, and the images that it gets right. */
export interface Baseline {
  readonly baseline: BaselineName;
  /** How many directions of the embedding are taken out; of a probe none is. */
  readonly directions: number;
  /** [rows] */
  readonly hits: Uint8Array;
}

/**
 * All of them. Nothing of the held-out half goes in.
 * @param cueProbes one unit vector [D] a value of the cue; without them there is no projection of texts
 */
export async function cueBaselines(
  problem: SplitProblem,
  cueProbes: readonly Float64Array[] | undefined,
  { signal }: WorkOptions = {},
): Promise<Baseline[]> {
  const { index, rows, probes, scores, cue, validationAt } = problem;
  const { embedDim: width } = index.manifest;
  const stored = await index.embeddings();
  const embedding = (at: number) => stored.subarray(rows[at] * width, (rows[at] + 1) * width);
  const vectors = new Float64Array(validationAt.length * width);
  for (const [i, at] of validationAt.entries()) vectors.set(embedding(at), i * width);
  const known = { vectors, width, groups: validationAt.map((at) => cue.groups[at]) };

  const erased = (baseline: BaselineName, { directions, erase }: Eraser): Baseline => {
    checkCancelled(signal);
    const found = new Float64Array(rows.length * scores.classes);
    for (const at of rows.keys()) {
      const rest = erase(embedding(at));
      for (let c = 0; c < scores.classes; c++) {
        found[at * scores.classes + c] = dot(rest, probes, 0, c * width, width);
      }
    }
    return { baseline, directions, hits: problemHits(problem, found) };
  };
  const [first, ...others] = cueProbes ?? [];
  return [
    ...(first
      ? [erased("text projection", projectOut(others.map((probe) => probe.map((v, d) => v - first[d]))))]
      : []),
    erased("mean difference", projectOutMeans(known)),
    erased("LEACE", leace(known)),
    { baseline: "linear probe", directions: 0, hits: probeHits(problem, vectors, embedding) },
  ];
}

/** Ridges that a probe is tried with, as shares of the mean variance of a direction. */
const RIDGES = [1e-3, 1e-2, 1e-1, 1, 10, 100];

/**
 * A least-squares classifier with a ridge for the classes of each contest, fitted on the validation half. The ridge is the one of best
 * worst-group accuracy where each fold of the half, every other image of a group, is asked of the other.
 */
function probeHits(
  problem: SplitProblem,
  vectors: Float64Array,
  embedding: (at: number) => Float32Array,
): Uint8Array {
  const { validation, validationAt } = problem;
  const seen = new Map<number, number>();
  const folds = validationAt.map((at) => {
    const before = seen.get(validation.groups[at]) ?? 0;
    seen.set(validation.groups[at], before + 1);
    return before % 2;
  });
  const cross = RIDGES.map(() => new Uint8Array(problem.rows.length));
  for (const fold of [0, 1]) {
    const trained = probeFitter(problem, vectors, (i) => folds[i] !== fold);
    const asked = validationAt.filter((_, i) => folds[i] === fold);
    for (const [r, ridge] of RIDGES.entries()) {
      const hits = problemHits(problem, trained(ridge, asked, embedding));
      for (const at of asked) cross[r][at] = hits[at];
    }
  }
  const outcomes = cross.map((hits) => lowestShares(hits, validation));
  const best = outcomes.reduce(
    (of, { worst, average }, r) =>
      worst > outcomes[of].worst || (worst === outcomes[of].worst && average > outcomes[of].average) ? r : of,
    0,
  );
  const all = Array.from(problem.rows.keys());
  return problemHits(problem, probeFitter(problem, vectors, () => true)(RIDGES[best], all, embedding));
}

/** Fits a probe on some of the validation images for any ridge, and scores images with it: [rows, C]. */
function probeFitter(
  { truth, contests, scores: { classes }, validationAt, rows, index }: SplitProblem,
  vectors: Float64Array,
  use: (i: number) => boolean,
) {
  const { embedDim: width } = index.manifest;
  const parts = [...new Set(contests)].flatMap((contest) => {
    const own = Array.from({ length: classes }, (_, c) => c).filter((c) => contests[c] === contest);
    const at = validationAt.flatMap((at, i) => (use(i) && contests[truth[at]] === contest ? [i] : []));
    if (at.length === 0) return [];
    const mean = new Float64Array(width);
    for (const i of at) addScaled(mean, 1 / at.length, vectors, i * width);
    const covariance = new Float64Array(width * width);
    const targets = own.map(() => new Float64Array(width));
    const shares = own.map((c) => at.filter((i) => truth[validationAt[i]] === c).length / at.length);
    const x = new Float64Array(width);
    for (const i of at) {
      for (let d = 0; d < width; d++) x[d] = vectors[i * width + d] - mean[d];
      for (let d = 0; d < width; d++)
        addScaled(covariance.subarray(d * width, (d + 1) * width), x[d] / at.length, x);
      for (const [k, c] of own.entries()) {
        addScaled(targets[k], ((truth[validationAt[i]] === c ? 1 : 0) - shares[k]) / at.length, x);
      }
    }
    let trace = 0;
    for (let d = 0; d < width; d++) trace += covariance[d * width + d];
    return [{ own, mean, covariance, targets, shares, scale: trace / width || 1 }];
  });
  return (ridge: number, asked: readonly number[], embedding: (at: number) => Float32Array): Float64Array => {
    const found = new Float64Array(rows.length * classes);
    for (const { own, mean, covariance, targets, shares, scale } of parts) {
      const damped = covariance.slice();
      for (let d = 0; d < width; d++) damped[d * width + d] += ridge * scale;
      const solve = positiveSolver(damped, width);
      for (const [k, c] of own.entries()) {
        const weights = solve(targets[k]);
        const offset = shares[k] - dot(weights, mean);
        for (const at of asked) found[at * classes + c] = dot(weights, embedding(at)) + offset;
      }
    }
    return found;
  };
}

/** Of the accuracy of some hits less that of others on the same images: mean and 95 % interval, paired. */
export function pairedDifference(hits: Uint8Array, others: Uint8Array, { groups }: Partition) {
  let [n, sum, squares] = [0, 0, 0];
  for (const [i, group] of groups.entries()) {
    if (group < 0) continue;
    const difference = hits[i] - others[i];
    n++;
    sum += difference;
    squares += difference ** 2;
  }
  const mean = sum / n;
  const reach = 1.96 * Math.sqrt(Math.max(0, squares / n - mean ** 2) / n);
  return { mean, low: mean - reach, high: mean + reach };
}
