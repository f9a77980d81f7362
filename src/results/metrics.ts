import { z } from "zod";

export const count = z.int().min(0);
export const share = z.number().min(0).max(1);
const hundredths = share.nullable().describe("null where there is nothing to take a share of");

const byFold = z
  .strictObject({ written: share, case: share, plural: share, synonym: share })
  .describe("labels compared as written, without case, without case and plural, and with synonyms as one");

export const metricsSchema = z.strictObject({
  heads: count,
  judged: count.describe("heads that somebody judged: CCS and association are about these"),
  histogram: z.array(count).length(6).describe("judged heads of CCS 0 … 5"),
  meanCcs: z.number().min(0).max(5).nullable(),
  ccsAt: z.array(hundredths).length(6).describe("CCS@K: share of judged heads of CCS K"),
  low: hundredths.describe("share of CCS at most 1"),
  association: hundredths.describe("share of CCS at least 3"),
  associationThreeOrFive: hundredths.describe("share of CCS 3 or 5"),
  entanglement: byFold.describe("share of heads whose label another head bears too"),
  duplicates: byFold.describe("1 − distinct labels / heads"),
  prefix: share.describe("share of heads whose label begins like an earlier one, or the reverse"),
  concentration: hundredths.describe("entanglement among heads of CCS 5"),
});

export const groupMetricsSchema = z.strictObject({
  name: z.string(),
  heads: z.array(z.string()),
  judged: count,
  meanCcs: z.number().min(0).max(5).nullable(),
  association: hundredths,
  entanglement: share,
});

/** Where 95 % of some draws lie. */
export const intervalSchema = z.strictObject({ mean: z.number(), low: z.number(), high: z.number() });

/** One interval a metric; null where no draw had a value. */
export const intervalsSchema = z.strictObject({
  meanCcs: intervalSchema.nullable(),
  association: intervalSchema.nullable(),
  associationThreeOrFive: intervalSchema.nullable(),
  high: intervalSchema.nullable(),
  low: intervalSchema.nullable(),
  entanglement: intervalSchema.nullable(),
  duplicates: intervalSchema.nullable(),
  prefix: intervalSchema.nullable(),
  concentration: intervalSchema.nullable(),
});

export const baselinesSchema = z.strictObject({
  randomLabels: intervalsSchema,
  shuffledDescriptions: intervalsSchema,
  randomTexts: intervalsSchema,
});

/** What `metrics --json` prints. */
export const metricsResultSchema = z.strictObject({
  files: z.array(
    z.strictObject({
      file: z.string(),
      model: z.string(),
      labellers: z.array(z.string()).describe("who made the labels"),
      judges: z.array(z.string()).describe("who judged the descriptions; empty where nobody did"),
      metrics: metricsSchema,
      byLayer: z.array(groupMetricsSchema),
      byProperty: z.array(groupMetricsSchema),
      chanceCcs: z
        .array(share)
        .length(6)
        .nullable()
        .describe("chance of each CCS for tags of five random texts of the pool; null without tags"),
      baselines: baselinesSchema.nullable().describe("null where the labels and verdicts are not of tags"),
    }),
  ),
});
