import type { Metrics } from "./metrics.ts";

/** A metric with what a reader must know to read its value. */
export interface MetricName {
  readonly key: string;
  readonly name: string;
  readonly formula: string;
  /** Which way is counted as more interpretable; none where the papers say nothing. */
  readonly better: "higher" | "lower" | "none";
  readonly of: (metrics: Metrics) => number | null;
}

/** The metrics that have one number, in the order in which they are shown. */
export const METRICS = [
  {
    key: "meanCcs",
    name: "mean CCS",
    formula: "mean over heads of the number of their five descriptions that fit the label",
    better: "higher",
    of: ({ meanCcs }) => meanCcs,
  },
  {
    key: "association",
    name: "association",
    formula: "share of heads with CCS ≥ 3",
    better: "higher",
    of: ({ association }) => association,
  },
  {
    key: "associationThreeOrFive",
    name: "association {3, 5}",
    formula: "share of heads with CCS 3 or 5",
    better: "higher",
    of: ({ associationThreeOrFive }) => associationThreeOrFive,
  },
  {
    key: "high",
    name: "CCS@5",
    formula: "share of heads with CCS = 5",
    better: "higher",
    of: ({ ccsAt }) => ccsAt[5],
  },
  {
    key: "low",
    name: "CCS ≤ 1",
    formula: "share of heads with CCS ≤ 1",
    better: "lower",
    of: ({ low }) => low,
  },
  {
    key: "entanglement",
    name: "entanglement",
    formula: "share of heads whose label (case, plural, synonyms folded) another head bears too",
    better: "lower",
    of: ({ entanglement }) => entanglement.synonym,
  },
  {
    key: "duplicates",
    name: "1 − distinct/n",
    formula: "1 − number of distinct labels / number of heads, folded likewise",
    better: "lower",
    of: ({ duplicates }) => duplicates.synonym,
  },
  {
    key: "prefix",
    name: "prefix rule",
    formula: "share of heads whose label begins like an earlier head's, or the reverse",
    better: "lower",
    of: ({ prefix }) => prefix,
  },
  {
    key: "concentration",
    name: "concentration",
    formula: "entanglement among the heads with CCS = 5",
    better: "lower",
    of: ({ concentration }) => concentration,
  },
] as const satisfies readonly MetricName[];

/** Which metric: a key of {@link METRICS}. */
export type MetricKey = (typeof METRICS)[number]["key"];

/** One value a metric. */
export type MetricValues = Readonly<Record<MetricKey, number | null>>;

/** The metrics as a flat record. */
export const valuesOf = (metrics: Metrics): MetricValues =>
  Object.fromEntries(METRICS.map(({ key, of }) => [key, of(metrics)])) as Record<MetricKey, number | null>;
