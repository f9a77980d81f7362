/**
 * How consistent a model's head labels are, and how much heads share them: Concept Consistency Score (CCS), association
 * and entanglement. The papers print the last two without a formula that gives their numbers; these are this project's
 * definitions, with the other readings beside them (docs/metrics.md).
 *
 * For heads h with labels ℓ(h), K = 5 descriptions each and a judge c(h,i) ∈ {0, 1} for "description i fits ℓ(h)":
 *
 *     CCS(h)        = Σ_i c(h,i)
 *     association   = share of judged heads with CCS ≥ 3
 *     entanglement  = share of heads whose normalised label another analysed head has too
 *     duplicates    = 1 − (number of distinct labels)/(number of heads)
 *     prefix rule   = share of heads of which an earlier head's label is a prefix or that are a prefix of one
 *     concentration = entanglement among the heads with CCS = K
 *
 * After "Quantifying and Enabling the Interpretability of CLIP-like Models" (CLIP-InterpreT, §4) and the Concept
 * Consistency Score paper, whose code has the prefix rule.
 */
import { type ByFold, FOLDS, type Fold, type GroupMetrics, type Metrics } from "../results/metrics.ts";
import type { Head } from "../results/shapes.ts";
import { normalizeLabel } from "./normalize-label.ts";

/** Descriptions a head is judged by. */
export const DESCRIPTIONS = 5;

/** A head with its label and, where a judge has spoken, whether each description fits it. */
export interface JudgedHead extends Head {
  readonly label: string;
  /** In the order of the descriptions, of which the first five count; empty where nobody judged. */
  readonly consistent: readonly boolean[];
}

/** CCS of one head; undefined where it was not judged. */
export function ccsOf({ consistent }: Pick<JudgedHead, "consistent">): number | undefined {
  if (consistent.length === 0) return undefined;
  return consistent.slice(0, DESCRIPTIONS).filter(Boolean).length;
}

/**
 * The metrics of the heads of one model, over those given and no others.
 *
 * @example
 * ```ts
 * import { measureLabels } from "clip-interpret";
 *
 * const { meanCcs, association, entanglement } = measureLabels([
 *   { layer: 3, head: 0, name: "L3.H0", label: "colors", consistent: [true, true, true, true, false] },
 *   { layer: 3, head: 1, name: "L3.H1", label: "Color", consistent: [true, false, false, false, false] },
 * ]);
 * console.log(meanCcs, association, entanglement);
 * // → 2.5 0.5 { written: 0, case: 0, plural: 1, synonym: 1 }
 * ```
 */
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
  measureGroups(heads, ({ layer }) => `L${layer}`).sort(
    (a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)),
  );

function measureGroups(heads: readonly JudgedHead[], nameOf: (head: JudgedHead) => string): GroupMetrics[] {
  const uses = countLabels(heads.map(({ label }) => normalizeLabel(label)));
  const groups = new Map<string, JudgedHead[]>();
  for (const head of heads) groups.set(nameOf(head), [...(groups.get(nameOf(head)) ?? []), head]);
  return [...groups].map(([name, members]) => {
    const { judged, meanCcs, association } = measureLabels(members);
    const shared = members.filter(({ label }) => uses.get(normalizeLabel(label))! > 1);
    return {
      ...{ name, judged, meanCcs, association, entanglement: shared.length / members.length },
      heads: members.map(({ layer, head, name: own }) => ({ layer, head, name: own })),
    };
  });
}
