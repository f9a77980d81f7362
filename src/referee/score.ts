/**
 * How often labels are right, beside what needs no look at the heads: one label for all, and the labels dealt out again
 * among the heads of a model and of a layer. A label is right where it is the factor with the head's highest ε². A head
 * without a label counts, and is not right: leaving out what is hard is no merit.
 *
 * Permutations are exact tests that a label has to do with its own head, whatever the frequencies of labels and factors;
 * within layers also whatever a layer's depth says of its heads.
 */
import { dealtWithin, strataOf } from "../labeling/baselines.ts";
import { countLabels } from "../labeling/metrics.ts";
import { percentileInterval, sampleDeviation, studentInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import { signTest } from "../math/sign-test.ts";
import { studentP } from "../math/student.ts";
import type { RefereeAccuracy } from "../results/referee.ts";

/** A head with what is true of it and what was said. */
export interface JudgedClaim {
  readonly model: string;
  readonly layer: number;
  readonly label: string | null;
  readonly best: string;
  /** ε² of a factor. */
  readonly share: (factor: string) => number;
}

/** How chance is drawn. */
export interface ChanceOptions {
  readonly permutations: number;
  readonly seed: number;
}

export const isRight = ({ label, best }: Pick<JudgedClaim, "label" | "best">): boolean => label === best;

/** The factor that most heads respond to; of several the first by name. */
export function constantLabel(heads: readonly Pick<JudgedClaim, "best">[]): string {
  const counts = [...countLabels(heads.map(({ best }) => best))];
  return counts.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0] ?? "";
}

/** Judges labels. @param constant {@link constantLabel} of all heads there are */
export function scoreLabels(
  heads: readonly JudgedClaim[],
  constant: string,
  options: ChanceOptions,
): RefereeAccuracy {
  const right = countRight(heads);
  const rightOf = (labels: readonly (string | null)[]) =>
    labels.reduce((count, label, i) => count + (label === heads[i].best ? 1 : 0), 0);
  const permuted = dealLabels(heads, ({ model }) => model, options, rightOf);
  const layered = dealLabels(heads, layerOf, options, rightOf);
  const share = (count: number) => (heads.length === 0 ? 0 : count / heads.length);
  const isConstant = heads.map(({ best }) => best === constant);
  const wins = heads.filter((head, i) => isRight(head) && !isConstant[i]).length;
  const losses = heads.filter((head, i) => !isRight(head) && isConstant[i]).length;
  const names = [...new Set(heads.map(({ model }) => model))];
  const byModel = names.map((model) => {
    const own = heads.filter((head) => head.model === model);
    return {
      ...{ model, heads: own.length, right: countRight(own) },
      constant: own.filter(({ best }) => best === constant).length,
      layered: expectedWithin(own, layerOf) / own.length,
    };
  });
  const gains = byModel.map((own) => (own.right - own.constant) / own.heads);
  const best = heads.reduce((sum, head) => sum + head.share(head.best), 0);
  const named = heads.reduce((sum, head) => sum + (head.label === null ? 0 : head.share(head.label)), 0);
  return {
    ...{ heads: heads.length, right, share: share(right), captured: best === 0 ? 0 : named / best },
    constant: share(isConstant.filter(Boolean).length),
    constantP: heads.length === 0 ? null : signTest(wins, losses),
    permuted: percentileInterval(permuted.map(share)),
    permutedP: shareAsHigh(permuted, right),
    layered: percentileInterval(layered.map(share)),
    layeredP: shareAsHigh(layered, right),
    trainings: studentInterval(byModel.map((own) => own.right / own.heads)),
    gain: studentInterval(gains),
    gainP: gainP(gains, 1 / Math.max(1, ...byModel.map((own) => own.heads))),
    byModel,
  };
}

/**
 * Whether models are ahead of the constant label on average. Shares move in steps of one head, so that a few models may agree by
 * accident: their scatter is taken as no less than one step.
 */
function gainP(gains: readonly number[], step: number): number | null {
  const deviation = sampleDeviation(gains);
  if (deviation === null) return null;
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  return studentP((mean * Math.sqrt(gains.length)) / Math.max(deviation, step), gains.length - 1);
}

/** Heads of one layer of one model. */
export const layerOf = ({ model, layer }: Pick<JudgedClaim, "model" | "layer">): string =>
  `${layer} ${model}`;

const countRight = (heads: readonly JudgedClaim[]): number => heads.filter(isRight).length;

/** How many labels are right on average over all ways to deal them out within strata: Σ_label n_label·m_label/n of each. */
function expectedWithin(heads: readonly JudgedClaim[], stratum: (head: JudgedClaim) => unknown): number {
  let expected = 0;
  for (const value of new Set(heads.map(stratum))) {
    const members = heads.filter((head) => stratum(head) === value);
    for (const { label } of members)
      expected += members.filter(({ best }) => best === label).length / members.length;
  }
  return expected;
}

/** What a measure gives of labels, one a head, that are dealt out again within strata. */
export function dealLabels<T extends { readonly label: string | null }>(
  heads: readonly T[],
  stratum: (head: T) => unknown,
  { permutations, seed }: ChanceOptions,
  measure: (labels: readonly (string | null)[]) => number,
): number[] {
  const strata = strataOf([...heads.keys()], (i) => stratum(heads[i]));
  return Array.from({ length: permutations }, (_, p) => {
    const labels = new Array<string | null>(heads.length);
    for (const [to, from] of dealtWithin(strata, new Random(seed, p))) labels[to] = heads[from].label;
    return measure(labels);
  });
}

/** The share of draws that reach a value, the value itself among them. */
export const shareAsHigh = (draws: readonly number[], value: number): number | null =>
  draws.length === 0
    ? null
    : (1 + draws.filter((drawn) => drawn >= value - 1e-12).length) / (1 + draws.length);
