import { z } from "zod";
import {
  baselinesSchema,
  count,
  groupMetricsSchema,
  intervalSchema,
  intervalsSchema,
  metricsSchema,
  share,
} from "./metrics.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "SHA-256 in hex");
const value = z.number().nullable();

const settingsSchema = z.strictObject({
  heads: z.string(),
  iterations: count,
  blocks: count,
  resamples: count,
  draws: count,
  permutations: count,
  seed: count,
});

const calibratedSchema = z.strictObject({
  value,
  chance: intervalSchema.nullable().describe("over permutations of the labels"),
  p: share.nullable().describe("share of permutations that reach the value"),
  resampled: intervalSchema.nullable().describe("over resampled images"),
});

const calibrationSchema = z.strictObject({
  heads: z.array(
    z.strictObject({
      head: z.string(),
      label: z.string(),
      ccs: count,
      excess: z.number().describe("CCS − 5 · (share of the pool's texts with the label)"),
      best: z.string().describe("the factor with the highest ε²"),
      bestShare: share,
      labelShare: share.nullable(),
      right: z.boolean(),
      rightOrNested: z.boolean(),
    }),
  ),
  measures: z.strictObject({
    right: calibratedSchema,
    rightOrNested: calibratedSchema,
    captured: calibratedSchema,
    ccsWithLabelShare: calibratedSchema,
    excessWithLabelShare: calibratedSchema,
    ccsWithBestShare: calibratedSchema,
    associationGap: calibratedSchema,
  }),
  reliability: z.array(
    z.strictObject({
      ccs: count,
      heads: count,
      right: count,
      rightOrNested: count,
      low: share.nullable(),
      high: share.nullable(),
      labelShare: share.nullable(),
      bestShare: share.nullable(),
    }),
  ),
  byLabel: z.array(
    z.strictObject({ label: z.string(), heads: count, right: count, low: share, high: share }),
  ),
});

const headSchema = z.strictObject({
  head: z.string(),
  label: z.string(),
  ccs: count,
  sameLabel: share,
  ccsResampled: intervalSchema,
  descriptions: z.array(
    z.strictObject({
      text: z.string(),
      property: z.string().nullable(),
      explained: z.number(),
      fits: z.boolean().nullable(),
    }),
  ),
  totalVariance: z.number(),
  rank: count,
  selectivity: z.array(z.strictObject({ factor: z.string(), share, significant: z.boolean() })),
  images: z.array(
    z.strictObject({ path: z.string(), label: z.string().nullable(), score: z.number(), sha256: hash }),
  ),
});

const modelSchema = z.strictObject({
  name: z.string(),
  notice: z.string().nullable(),
  shape: z.strictObject({
    layers: count,
    headsPerLayer: count,
    width: count,
    patch: count,
    imageSize: count,
    size: count.describe("weights of the image transformer's layers"),
    trainedOn: z.string().nullable(),
  }),
  inputs: z.strictObject({
    weights: hash,
    index: hash,
    images: count,
    pool: z.strictObject({
      name: z.string(),
      hash,
      texts: count,
      tags: z.array(z.strictObject({ tag: z.string(), texts: count })),
    }),
    labeller: z.string(),
    judge: z.string(),
  }),
  metrics: metricsSchema,
  byLayer: z.array(groupMetricsSchema),
  byProperty: z.array(groupMetricsSchema),
  resampled: intervalsSchema,
  baselines: baselinesSchema,
  chanceCcs: z.array(share).length(6),
  calibration: calibrationSchema.nullable(),
  heads: z.array(headSchema),
});

const metricValues = z.strictObject({
  meanCcs: value,
  association: value,
  associationThreeOrFive: value,
  high: value,
  low: value,
  entanglement: value,
  duplicates: value,
  prefix: value,
  concentration: value,
});

/** `study.json`, and what `study --json` prints: everything that the report shows. */
export const studyReportSchema = z.strictObject({
  format: z.literal("clip-interpret-study"),
  version: z.literal(1),
  code: z.strictObject({ version: z.string(), sha256: hash }),
  settings: settingsSchema,
  models: z.array(modelSchema),
  sizes: z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        size: count,
        models: z.array(z.string()),
        heads: count,
        mean: metricValues,
        deviation: metricValues,
      }),
    ),
    seeds: z.strictObject({ group: z.string(), count }).nullable(),
    steps: z.array(
      z.strictObject({
        metric: z.enum(["meanCcs", "association", "entanglement"]),
        smaller: z.string(),
        larger: z.string(),
        difference: z.number(),
        scatter: value.describe("standard deviation between seeds, at least one head"),
        critical: value,
        detectable: value,
        verdict: z.enum([
          "more interpretable",
          "less interpretable",
          "not told apart",
          "no seeds to compare with",
        ]),
      }),
    ),
  }),
  calibration: calibrationSchema.nullable(),
  published: z.array(
    z.strictObject({
      model: z.string(),
      trainedOn: z.string().nullable(),
      layers: count,
      patch: count,
      heads: count,
      printed: z.strictObject({ entanglement: share.nullable(), association: share.nullable() }),
      consistency: z.strictObject({ high: count, moderate: count, low: count }),
      computed: metricsSchema.pick({ entanglement: true, duplicates: true, prefix: true }),
    }),
  ),
});
