/**
 * Metrics of head labels on equal terms. Two things make models incomparable before any head is looked at:
 *
 * - **how many heads** are analysed: among more heads it is likelier that another one has a head's label. So entanglement
 *   and duplicates are rarefied (as in ecology, Hurlbert 1971): what m heads would have, drawn at random from the n without
 *   repetition. With c heads of a label, k ~ Hypergeometric(n, c, m) of them are drawn, and
 *
 *       entanglement(m) = Σ_labels (E[k] − P(k = 1)) / m          duplicates(m) = 1 − Σ_labels (1 − P(k = 0)) / m
 *
 * - **how deep** they lie: the last four layers are all of a model with four layers, and a sixth of one with 24. So heads
 *   are compared whose relative depth (l + ½)/L is at least one value.
 */
import { type ByFold, FOLDS, METRICS, type MetricValues, valuesOf } from "../results/metrics.ts";
import { countLabels, type JudgedHead, measureLabels } from "./metrics.ts";
import { normalizeLabel } from "./normalize-label.ts";

/** Where a layer lies, between the first (0) and the last (1): the middle of its share. */
export const relativeDepth = (layer: number, layers: number): number => (layer + 0.5) / layers;

/** The analysed heads of one model. */
export interface HeadsOfModel {
  readonly layers: number;
  readonly heads: readonly JudgedHead[];
}

/** What several models have in common. */
export interface EqualTerms {
  /** Heads of at least this relative depth are analysed in every model. */
  readonly from: number;
  /** The least number of such heads of any model. */
  readonly heads: number;
}

/**
 * The largest part that is analysed of every model: from where on each has all its layers among those given, and how many
 * heads the model with the fewest has there.
 */
export function equalTerms(models: readonly HeadsOfModel[]): EqualTerms {
  const from = Math.max(
    0,
    ...models.map(({ layers, heads }) => Math.min(1, ...heads.map(({ layer }) => layer / layers))),
  );
  return { from, heads: Math.min(...models.map((model) => beyond(model, from).length)) };
}

/** The heads of at least a relative depth. */
export const beyond = ({ layers, heads }: HeadsOfModel, from: number): readonly JudgedHead[] =>
  heads.filter(({ layer }) => relativeDepth(layer, layers) >= from);

/**
 * The metrics of a model's heads on equal terms. Those that depend on the number of heads are rarefied; the prefix rule and
 * concentration, for which there is no formula, are null.
 */
export function measureEqually(model: HeadsOfModel, { from, heads: drawn }: EqualTerms): MetricValues {
  const heads = beyond(model, from);
  const labels = heads.map(({ label }) => normalizeLabel(label));
  const rarefied: Partial<MetricValues> = { ...rarefy(labels, drawn), prefix: null, concentration: null };
  const values = valuesOf(measureLabels(heads));
  return Object.fromEntries(
    METRICS.map(({ key }) => [key, rarefied[key] === undefined ? values[key] : rarefied[key]]),
  ) as MetricValues;
}

/**
 * Entanglement and duplicates that `drawn` of these heads have on average.
 * @param labels one a head, written alike where they count as one
 * @throws RangeError when fewer labels than `drawn` are given
 */
export function rarefy(
  labels: readonly string[],
  drawn: number,
): { entanglement: number; duplicates: number } {
  const n = labels.length;
  if (drawn > n) throw new RangeError(`${drawn} heads cannot be drawn from ${n}`);
  if (drawn === 0) return { entanglement: 0, duplicates: 0 };
  let [shared, distinct] = [0, 0];
  for (const c of countLabels(labels).values()) {
    const none = chooseRatio(n, c, drawn);
    const one = chooseOne(n, c, drawn);
    shared += (drawn * c) / n - one;
    distinct += 1 - none;
  }
  return { entanglement: clamp(shared / drawn), duplicates: clamp(1 - distinct / drawn) };
}

/** {@link rarefy}, with labels compared in every way. */
export function rarefyByFold(heads: readonly JudgedHead[], drawn: number) {
  const by = FOLDS.map((fold) => {
    const labels = heads.map(({ label }) => normalizeLabel(label, fold));
    return [fold, rarefy(labels, drawn)] as const;
  });
  const pick = (key: "entanglement" | "duplicates") =>
    Object.fromEntries(by.map(([fold, values]) => [fold, values[key]])) as ByFold;
  return {
    ...{ heads: drawn, of: heads.length },
    entanglement: pick("entanglement"),
    duplicates: pick("duplicates"),
  };
}

/** P(k = 0) = C(n − c, m)/C(n, m). */
function chooseRatio(n: number, c: number, m: number): number {
  let ratio = 1;
  for (let i = 0; i < m; i++) ratio *= Math.max(0, n - c - i) / (n - i);
  return ratio;
}

/** P(k = 1) = c·C(n − c, m − 1)/C(n, m). */
function chooseOne(n: number, c: number, m: number): number {
  let ratio = (m * c) / n;
  for (let i = 0; i < m - 1; i++) ratio *= Math.max(0, n - c - i) / (n - 1 - i);
  return ratio;
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));
