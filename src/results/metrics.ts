import { z } from "zod";
import { agreementSchema } from "./judging.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headSchema, intervalSchema, share } from "./shapes.ts";

const shareOrNone = share.nullable().describe("null where there is nothing to take a share of");
const mean = z.number().min(0).max(5).nullable();

/** How much is folded when labels are compared: nothing, letter case, case and plural, or those and {@link SYNONYMS}. */
export const FOLDS = ["written", "case", "plural", "synonym"] as const;
export type Fold = (typeof FOLDS)[number];

/**
 * What counts as one label: the first name replaces those after it, all in lower case and singular. Only other
 * spellings and words for the same thing; nothing is folded into a wider term (a bird stays no animal).
 */
export const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  activity: ["action"],
  art: ["artistic", "artwork"],
  "body part": ["anatomy", "bodypart"],
  color: ["color palette", "colorful", "colorpalette", "colour"],
  count: ["counting", "number", "quantity"],
  description: ["descriptive", "descriptive style", "descriptor"],
  "facial expression": ["expression"],
  location: ["geo-location", "geographic location", "place"],
  object: ["item"],
  occupation: ["profession"],
  season: ["seasonal"],
  vehicle: ["transportation"],
};

const byFold = z
  .strictObject({ written: share, case: share, plural: share, synonym: share })
  .describe("labels compared as written, without case, without case and plural, and with synonyms as one");
/** One number for every {@link Fold}. */
export type ByFold = z.infer<typeof byFold>;

export const metricsSchema = z.strictObject({
  heads: count,
  judged: count.describe("heads that somebody judged: CCS and association are about these"),
  histogram: z.array(count).length(6).describe("judged heads of CCS 0 … 5"),
  meanCcs: mean,
  ccsAt: z.array(shareOrNone).length(6).describe("CCS@K: share of judged heads of CCS K"),
  low: shareOrNone.describe("share of CCS at most 1; the CCS paper calls it low, 5 high, 3 moderate"),
  association: shareOrNone.describe("share of CCS at least 3"),
  associationThreeOrFive: shareOrNone.describe(
    "share of CCS 3 or 5, which is what two of the four printed association values are",
  ),
  entanglement: byFold.describe("share of heads whose label another head has too"),
  duplicates: byFold.describe("1 − distinct labels / heads"),
  prefix: share.describe("share of heads whose label begins like an earlier one, or the reverse, as written"),
  concentration: shareOrNone.describe("entanglement among heads of CCS 5"),
});
/** The metrics of some heads. */
export type Metrics = z.infer<typeof metricsSchema>;

/** A metric with what a reader must know to read its value. */
interface MetricName {
  readonly key: string;
  readonly name: string;
  readonly formula: string;
  /** Which way is counted as more interpretable. */
  readonly better: "higher" | "lower";
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
    formula: "share of heads whose label (case, plural, synonyms folded) another head has too",
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

/** Something for every metric that has one number. */
const perMetric = <S extends z.ZodType>(schema: S) =>
  z.strictObject(Object.fromEntries(METRICS.map(({ key }) => [key, schema])) as Record<MetricKey, S>);
export const metricValuesSchema = perMetric(z.number().nullable());
/** One value a metric. */
export type MetricValues = z.infer<typeof metricValuesSchema>;

/** The metrics as a flat record. */
export const valuesOf = (metrics: Metrics): MetricValues =>
  Object.fromEntries(METRICS.map(({ key, of }) => [key, of(metrics)])) as MetricValues;

export const intervalsSchema = perMetric(intervalSchema.nullable()).describe(
  "null where no draw had a value",
);
/** For each metric where it lies in 95 % of some draws. */
export type MetricIntervals = z.infer<typeof intervalsSchema>;

const groupMetricsSchema = z.strictObject({
  name: z.string().describe("the label as its first head has it, or L3"),
  heads: z.array(headSchema),
  judged: count,
  meanCcs: mean,
  association: shareOrNone,
  entanglement: share.describe("share whose label another analysed head has, in this group or not"),
});
/** What is said about all heads of a property, or of a layer. */
export type GroupMetrics = z.infer<typeof groupMetricsSchema>;

/** What the metrics are where nothing is known about the heads; `labeling/baselines.ts` says how each is drawn. */
export const BASELINES = ["randomLabels", "shuffledDescriptions", "randomTexts"] as const;
export type Baseline = (typeof BASELINES)[number];
export const baselinesSchema = z.strictObject({
  randomLabels: intervalsSchema,
  shuffledDescriptions: intervalsSchema,
  randomTexts: intervalsSchema,
});
/** The metrics under every baseline. */
export type Baselines = z.infer<typeof baselinesSchema>;

/** What the metrics are for labels given without a look at the head; `labeling/label-baselines.ts` says how each is drawn. */
export const LABEL_BASELINES = ["constant", "random", "permuted"] as const;
export type LabelBaseline = (typeof LABEL_BASELINES)[number];
export const labelBaselinesSchema = z.strictObject({
  constant: intervalsSchema,
  random: intervalsSchema,
  permuted: intervalsSchema,
});
/** The metrics of labels that say nothing, as the same judge sees them. */
export type LabelBaselines = z.infer<typeof labelBaselinesSchema>;

/** Metrics that depend on how many heads there are, for a number of heads drawn at random. */
export const rarefiedSchema = z.strictObject({
  heads: count.describe("drawn"),
  of: count.describe("drawn from"),
  entanglement: metricsSchema.shape.entanglement,
  duplicates: metricsSchema.shape.duplicates,
});

/** What is measured of a model's labels. */
export const measuredShape = {
  metrics: metricsSchema,
  byLayer: z.array(groupMetricsSchema),
  byProperty: z.array(groupMetricsSchema),
};
export const chanceCcsSchema = z
  .array(share)
  .length(6)
  .describe("chance that the commonest tag of five random texts of the pool occurs 0 … 5 times");

const measuredFileSchema = z.strictObject({
  origin: originSchema("labels", "pool")
    .partial({ pool: true })
    .describe("a pool where the labels are of tags"),
  model: z.string().describe("whose heads, as the labels say it"),
  labellers: z.array(z.string()).describe("who made the labels"),
  judges: z.array(z.string()).describe("who judged the descriptions; empty where nobody did"),
  agreement: agreementSchema.nullable().describe("null where there are not several judges"),
  ...measuredShape,
  equalHeads: rarefiedSchema
    .nullable()
    .describe("as many heads as the model with the fewest labels here has; null of one model alone"),
  chanceCcs: chanceCcsSchema.nullable().describe("null without tags"),
  baselines: baselinesSchema.nullable().describe("null where the labels and verdicts are not of tags"),
});
/** The metrics of one model's labels. */
export type MeasuredFile = z.infer<typeof measuredFileSchema>;

/** What `metrics --json` prints. */
export const metricsResultSchema = z.strictObject({
  origin: originSchema(),
  files: z.array(measuredFileSchema),
});
/** How consistent labels are, and how much heads share them. */
export type MetricsResult = z.infer<typeof metricsResultSchema>;
export const metricsResult = resultBuilder(metricsResultSchema);
