/**
 * How consistent a model's head labels are, and how much heads share them: Concept Consistency Score (CCS), association
 * and entanglement. The papers print the last two without a formula that gives their numbers; these are this project's
 * definitions, with the other readings beside them (docs/metrics.md).
 *
 * For heads h with labels ℓ(h), K = 5 descriptions each and a judge c(h,i) ∈ {0, 1} for "description i fits ℓ(h)":
 *
 *     CCS(h)        = Σ_i c(h,i)
 *     association   = share of judged heads with CCS ≥ 3
 *     entanglement  = share of heads whose normalised label another analysed head bears too
 *     duplicates    = 1 − (number of distinct labels)/(number of heads)
 *     prefix rule   = share of heads of which an earlier head's label is a prefix or that are a prefix of one
 *     concentration = entanglement among the heads with CCS = K
 *
 * After "Quantifying and Enabling the Interpretability of CLIP-like Models" (CLIP-InterpreT, §4) and the Concept
 * Consistency Score paper, whose code has the prefix rule.
 */
import { FOLDS, type Fold, normalizeLabel } from "./normalize-label.ts";

/** Descriptions a head is judged by. */
export const DESCRIPTIONS = 5;

/** A head with its label and, where a judge has spoken, whether each description fits it. */
export interface JudgedHead {
  /** L3.H1 */
  readonly head: string;
  readonly label: string;
  /** In the order of the descriptions, of which the first five count; empty where nobody judged. */
  readonly consistent: readonly boolean[];
}

/** One number for every {@link Fold}. */
export type ByFold = Readonly<Record<Fold, number>>;

/** The metrics of some heads. Shares are 0–1; null where there is nothing to take a share of. */
export interface Metrics {
  readonly heads: number;
  /** Heads that were judged: association and CCS are about these. */
  readonly judged: number;
  /** [6]: how many judged heads have CCS 0, 1, … 5. */
  readonly histogram: readonly number[];
  readonly meanCcs: number | null;
  /** CCS@K: the share of judged heads with CCS = K, K = 0 … 5. */
  readonly ccsAt: readonly (number | null)[];
  /** Share with CCS ≤ 1: low, in the words of the CCS paper (5 is high, 3 moderate). */
  readonly low: number | null;
  readonly association: number | null;
  /** Share with CCS 3 or 5, which is what two of the four printed association values are. */
  readonly associationThreeOrFive: number | null;
  readonly entanglement: ByFold;
  readonly duplicates: ByFold;
  /** On labels as written, as the authors' code has them. */
  readonly prefix: number;
  readonly concentration: number | null;
}

/** CCS of one head; undefined where it was not judged. */
export function ccsOf({ consistent }: Pick<JudgedHead, "consistent">): number | undefined {
  if (consistent.length === 0) return undefined;
  return consistent.slice(0, DESCRIPTIONS).filter(Boolean).length;
}

/** The metrics of the heads of one model, over those given and no others. */
export function measureLabels(heads: readonly JudgedHead[]): Metrics {
  const scores = heads.map(ccsOf).filter((ccs) => ccs !== undefined);
  const shareOf = (test: (ccs: number) => boolean) => share(scores.filter(test).length, scores.length);
  const ccsAt = Array.from({ length: DESCRIPTIONS + 1 }, (_, k) => shareOf((ccs) => ccs === k));
  const surest = heads.filter((head) => ccsOf(head) === DESCRIPTIONS);
  const labels = heads.map(({ label }) => label);
  return {
    heads: heads.length,
    judged: scores.length,
    histogram: ccsAt.map((_, k) => scores.filter((ccs) => ccs === k).length),
    meanCcs: share(
      scores.reduce((sum, ccs) => sum + ccs, 0),
      scores.length,
    ),
    ccsAt,
    low: shareOf((ccs) => ccs <= 1),
    association: shareOf((ccs) => ccs >= 3),
    associationThreeOrFive: shareOf((ccs) => ccs === 3 || ccs === 5),
    entanglement: byFold((fold) => entanglement(labels.map((label) => normalizeLabel(label, fold)))),
    duplicates: byFold((fold) => duplicates(labels.map((label) => normalizeLabel(label, fold)))),
    prefix: prefixShare(labels),
    concentration:
      surest.length === 0 ? null : entanglement(surest.map(({ label }) => normalizeLabel(label))),
  };
}

const byFold = (measure: (fold: Fold) => number): ByFold =>
  Object.fromEntries(FOLDS.map((fold) => [fold, measure(fold)])) as Record<Fold, number>;

const share = (count: number, of: number): number | null => (of === 0 ? null : count / of);

/** Share of labels that occur more than once; 0 of none. */
function entanglement(labels: readonly string[]): number {
  const counts = countLabels(labels);
  return share(labels.filter((label) => counts.get(label)! > 1).length, labels.length) ?? 0;
}

/** 1 − distinct/n; 0 of none. */
const duplicates = (labels: readonly string[]): number =>
  labels.length === 0 ? 0 : 1 - new Set(labels).size / labels.length;

/** Share of labels that begin like an earlier one, or that an earlier one begins like. */
function prefixShare(labels: readonly string[]): number {
  const alike = labels.filter((label, i) =>
    labels.slice(0, i).some((earlier) => earlier.startsWith(label) || label.startsWith(earlier)),
  );
  return share(alike.length, labels.length) ?? 0;
}

/** How often each label occurs. */
export function countLabels(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** What is told about each of some groups of heads: all heads of a property, or of a layer. */
export interface GroupMetrics {
  /** The label, as its first head bears it, or L3. */
  readonly name: string;
  readonly heads: readonly string[];
  readonly judged: number;
  readonly meanCcs: number | null;
  readonly association: number | null;
  /** Share whose label another analysed head bears, in this group or not. */
  readonly entanglement: number;
}

/** The heads by what their label says, most heads first, names in order among equals. */
export function measureByProperty(heads: readonly JudgedHead[]): GroupMetrics[] {
  const first = new Map<string, string>();
  for (const { label } of heads) {
    const normal = normalizeLabel(label);
    first.set(normal, first.get(normal) ?? label);
  }
  const groups = measureGroups(heads, ({ label }) => first.get(normalizeLabel(label))!);
  return groups.sort((a, b) => b.heads.length - a.heads.length || (a.name < b.name ? -1 : 1));
}

/** The heads by their layer, first layer first. */
export const measureByLayer = (heads: readonly JudgedHead[]): GroupMetrics[] =>
  measureGroups(heads, ({ head }) => head.split(".")[0]).sort(
    (a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)),
  );

function measureGroups(heads: readonly JudgedHead[], nameOf: (head: JudgedHead) => string): GroupMetrics[] {
  const bearers = countLabels(heads.map(({ label }) => normalizeLabel(label)));
  const groups = new Map<string, JudgedHead[]>();
  for (const head of heads) groups.set(nameOf(head), [...(groups.get(nameOf(head)) ?? []), head]);
  return [...groups].map(([name, members]) => {
    const { judged, meanCcs, association } = measureLabels(members);
    const shared = members.filter(({ label }) => bearers.get(normalizeLabel(label))! > 1);
    const entangled = shared.length / members.length;
    return {
      name,
      heads: members.map(({ head }) => head),
      judged,
      meanCcs,
      association,
      entanglement: entangled,
    };
  });
}
