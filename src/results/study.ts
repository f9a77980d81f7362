import { z } from "zod";
import { agreementSchema } from "./judging.ts";
import {
  baselinesSchema,
  chanceCcsSchema,
  intervalsSchema,
  labelBaselinesSchema,
  measuredShape,
  metricsSchema,
  metricValuesSchema,
  rarefiedSchema,
} from "./metrics.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape, intervalSchema, share } from "./shapes.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "SHA-256 in hex");
const value = z.number().nullable();

const settingsSchema = z.strictObject({
  heads: z.string().describe("which heads, as they were written"),
  iterations: count.describe("texts that TEXTSPAN chooses; the first five make the label"),
  blocks: count.describe("parts that the images are dealt into"),
  resamples: count.describe("times that the blocks were drawn again"),
  draws: count.describe("draws of each baseline, and permutations of the calibration"),
  permutations: count.describe("of the selectivity's baseline"),
  seed: count,
  labelling: z
    .strictObject({
      labeller: z.string().describe("llm, published, or the name of a labels file"),
      asked: count.describe("resamples, and draws of each baseline, that a language model is asked about"),
    })
    .optional()
    .describe("where the labels are not of tags"),
});
/** How a study was made; with the inputs' hashes this fixes every number. */
export type StudySettings = z.infer<typeof settingsSchema>;

const calibratedSchema = z.strictObject({
  value,
  chance: intervalSchema.nullable().describe("over permutations of the labels"),
  p: share
    .nullable()
    .describe("share of permutations that reach the value, the labels themselves among them"),
  layerChance: intervalSchema.nullable().describe("over permutations of the labels within each layer"),
  layerP: share.nullable().describe("the same share for permutations within each layer"),
  resampled: intervalSchema.nullable().describe("over resampled images"),
  trainings: intervalSchema
    .nullable()
    .describe("95 % of Student’s t about the mean of the models' own values; null of one model"),
});
/** A number with what chance gives, and where it lies when the images are drawn again. */
export type Calibrated = z.infer<typeof calibratedSchema>;

/** What the calibration measures, with its formula in words. */
export const CALIBRATION_MEASURES = [
  {
    key: "right",
    name: "labels right",
    formula: "share of heads whose label is the factor with the highest ε²",
  },
  {
    key: "rightOrNested",
    name: "right or nested",
    formula: "the same, a factor that contains the best one or is contained in it accepted",
  },
  {
    key: "captured",
    name: "selectivity named",
    formula: "Σ ε² of the labels' factors / Σ highest ε², over heads",
  },
  {
    key: "ccsWithLabelShare",
    name: "CCS and ε² of the label",
    formula: "rank correlation over heads of CCS with ε² of the label's factor",
  },
  {
    key: "excessWithLabelShare",
    name: "CCS beyond the pool and ε² of the label",
    formula: "the same for CCS − 5 · (share of the pool's texts with the label)",
  },
  {
    key: "ccsWithBestShare",
    name: "CCS and highest ε²",
    formula: "rank correlation over heads of CCS with the highest ε²",
  },
  {
    key: "associationGap",
    name: "right with CCS ≥ 3, less below",
    formula: "share right among heads with CCS ≥ 3 minus the share among the others",
  },
  {
    key: "laterGap",
    name: "the same beyond the first third",
    formula: "of heads whose relative depth (layer + ½)/layers is at least ⅓",
  },
  {
    key: "laterHighGap",
    name: "right with CCS 5, less below, there",
    formula: "of the same heads, share right among those with CCS = 5 minus the share among the others",
  },
] as const;
export type CalibrationKey = (typeof CALIBRATION_MEASURES)[number]["key"];
const perMeasure = <S extends z.ZodType>(schema: S) =>
  z.strictObject(
    Object.fromEntries(CALIBRATION_MEASURES.map(({ key }) => [key, schema])) as Record<CalibrationKey, S>,
  );

const calibratedHeadSchema = z.strictObject({
  ...headShape,
  model: z.string(),
  depth: share.describe("(layer + ½)/layers"),
  label: z.string(),
  ccs: count,
  excess: z
    .number()
    .describe("CCS − 5 · (share of the pool's texts with the label); the CCS where it is no factor"),
  best: z.string().describe("the factor with the highest ε²"),
  bestShare: share,
  labelShare: share.nullable().describe("ε² of the label's factor; null where the label is no factor"),
  right: z.boolean(),
  rightOrNested: z.boolean(),
});
/** One head's label beside what it truly responds to. */
export type CalibratedHead = z.infer<typeof calibratedHeadSchema>;

const reliabilitySchema = z.strictObject({
  ccs: count,
  heads: count,
  right: count,
  rightOrNested: count,
  low: share.nullable().describe("Wilson's 95 % interval of the share that is right; null of no head"),
  high: share.nullable(),
  labelShare: share.nullable().describe("mean ε² of the label's factor, 0 where it is none"),
  bestShare: share.nullable().describe("mean of the highest ε²"),
});
/** What holds for the heads of one CCS. */
export type ReliabilityRow = z.infer<typeof reliabilitySchema>;

const labelRowSchema = z.strictObject({
  label: z.string(),
  heads: count,
  right: count,
  low: share,
  high: share,
});
/** What holds for the heads of one label. */
export type LabelRow = z.infer<typeof labelRowSchema>;

/** Parts of a model's layers that labels are looked at in. */
export const DEPTHS = ["first third", "middle third", "last third"] as const;
const depthRowSchema = z.strictObject({
  depth: z.enum(DEPTHS),
  heads: count,
  right: count,
  constant: count.describe("heads of which the constant label would be right"),
  sure: z.strictObject({ heads: count, right: count }).describe("heads with CCS ≥ 3"),
  unsure: z.strictObject({ heads: count, right: count }).describe("the others"),
});
/** What holds for the heads of one part of the layers. */
export type DepthRow = z.infer<typeof depthRowSchema>;

const constantSchema = z.strictObject({
  label: z.string().describe("the factor that most heads respond to"),
  right: count.describe("heads of which it is right: what a labeller gets that always says it"),
  p: share.describe(
    "one-sided sign test over the heads of which only one of the two is right: that the labels are no better",
  ),
});

const halvesSchema = z.strictObject({
  sameBest: count.describe("heads whose factor with the highest ε² is the same in both halves of the images"),
  right: count.describe("of these, heads whose label it is"),
  share: share.describe("share of labels that are right by one half, mean of both"),
  captured: z
    .number()
    .nullable()
    .describe(
      "Σ ε² of the labels' factors in one half / Σ ε² there of the factors that are highest in the other half",
    ),
});

export const calibrationSchema = z.strictObject({
  heads: z.array(calibratedHeadSchema),
  constant: constantSchema.nullable().describe("the best labeller that says one thing; null of no head"),
  halves: halvesSchema
    .nullable()
    .describe("ε² estimated again on two halves of the images; null where it was not"),
  measures: perMeasure(calibratedSchema),
  byDepth: z.array(depthRowSchema),
  reliability: z.array(reliabilitySchema),
  byLabel: z.array(labelRowSchema).describe("labels by how many heads have them"),
});
/** Whether labels are true, where truth is known. */
export type Calibration = z.infer<typeof calibrationSchema>;

const imageSchema = z.strictObject({
  path: z.string(),
  label: z.string().nullable(),
  score: z.number(),
  sha256: hash,
});
/** An image that a head adds much to. */
export type StudyImage = z.infer<typeof imageSchema>;

const headSchema = z.strictObject({
  ...headShape,
  label: z.string(),
  ccs: count,
  sameLabel: share.describe("share of resamples of the images that gave it the same label"),
  ccsResampled: intervalSchema,
  descriptions: z.array(
    z.strictObject({
      text: z.string(),
      property: z.string().nullable(),
      explained: z.number().describe("share of the head's variance"),
      fits: z.boolean().nullable().describe("null for texts after the fifth, which nobody judges"),
    }),
  ),
  totalVariance: z.number(),
  rank: count,
  selectivity: z
    .array(
      z.strictObject({
        factor: z.string(),
        share,
        significant: z.boolean().describe("above every permutation"),
      }),
    )
    .describe("ε² of every known factor; empty where none is known"),
  images: z.array(imageSchema).describe("those to which it adds most along its first description"),
});
/** One head of a model. */
export type StudyHead = z.infer<typeof headSchema>;

const shapeSchema = z.strictObject({
  layers: count,
  headsPerLayer: count,
  width: count,
  patch: count,
  imageSize: count,
  size: count.describe("weights of the image transformer's layers"),
  trainedOn: z.string().nullable(),
});
/** How large a model is. */
export type ModelShape = z.infer<typeof shapeSchema>;

const modelSchema = z.strictObject({
  origin: originSchema("model", "index", "pool"),
  shape: shapeSchema,
  tags: z
    .array(z.strictObject({ tag: z.string(), texts: count }))
    .describe("how many texts of the pool have each tag, most first"),
  labeller: z.string(),
  judge: z.string(),
  ...measuredShape,
  resampled: intervalsSchema.describe("where each metric lies when the images are drawn again"),
  unlabelled: z.array(z.string()).describe("analysed heads that got no label, or no verdicts on it"),
  baselines: baselinesSchema.nullable().describe("null where the labels are not of tags"),
  labelBaselines: labelBaselinesSchema.nullable().describe("null where the labels are of tags"),
  chanceCcs: chanceCcsSchema.nullable().describe("null where the labels are not of tags"),
  agreement: agreementSchema.nullable().describe("null where there are not several judges"),
  calibration: calibrationSchema.nullable().describe("null where nothing is known of the images"),
  heads: z.array(headSchema),
});
/** One model of a study. */
export type StudyModel = z.infer<typeof modelSchema>;

const seedGroupSchema = z.strictObject({
  name: z.string().describe("without its seed"),
  size: count,
  models: z.array(z.string()),
  mean: metricValuesSchema,
  deviation: metricValuesSchema.describe("between seeds; null of one model"),
});
/** Models that differ in their seed alone. */
export type SeedGroup = z.infer<typeof seedGroupSchema>;

/** Metrics that the question of size is asked of. */
export const SIZE_METRICS = ["meanCcs", "association", "entanglement"] as const;
/** What may be said of a larger model beside a smaller one. */
export const SIZE_VERDICTS = [
  "more interpretable",
  "less interpretable",
  "not told apart",
  "no seeds to compare with",
] as const;

const sizeStepSchema = z.strictObject({
  metric: z.enum(SIZE_METRICS),
  smaller: z.string(),
  larger: z.string(),
  difference: z.number().describe("larger minus smaller"),
  scatter: value.describe("standard deviation between seeds, pooled, at least one head; null without seeds"),
  p: share.nullable().describe("two-sided, Student's t"),
  pHolm: share.nullable().describe("corrected for all comparisons of the study (Holm)"),
  detectable: value.describe(
    "least true difference that is found in four trainings of five, at the strictest corrected level",
  ),
  verdict: z.enum(SIZE_VERDICTS),
});
/** A larger model beside a smaller one, by one metric. */
export type SizeStep = z.infer<typeof sizeStepSchema>;

const sizesSchema = z.strictObject({
  from: share.describe("relative depth, (layer + ½)/layers, from which heads are compared"),
  heads: count.describe("that each model counts for: as many as the one with the fewest has there"),
  groups: z.array(seedGroupSchema).describe("smallest first; metrics on equal terms"),
  seeds: z
    .strictObject({ groups: z.array(z.string()), degrees: count })
    .nullable()
    .describe("groups of several seeds, which say how far models scatter; null where there is none"),
  steps: z.array(sizeStepSchema),
});
/** Whether larger models are more interpretable. */
export type SizeComparison = z.infer<typeof sizesSchema>;

const publishedRowSchema = z.strictObject({
  model: z.string(),
  trainedOn: z.string().nullable(),
  layers: count,
  patch: count,
  heads: count,
  printed: z.strictObject({ entanglement: share.nullable(), association: share.nullable() }),
  consistency: z
    .strictObject({ high: count, moderate: count, low: count })
    .describe("heads of CCS 5, 3 and at most 1 as printed"),
  computed: metricsSchema.pick({ entanglement: true, duplicates: true, prefix: true }),
  equalHeads: rarefiedSchema.describe("as many heads as the model with the fewest labels has"),
  equalDepth: rarefiedSchema.describe(
    "the same among heads of the relative depth that is labelled in every model",
  ),
});
/** One of the paper's six models: what is printed, and what its published labels give. */
export type PublishedRow = z.infer<typeof publishedRowSchema>;

/** `study.json`, and what `study --json` prints: everything that the report shows. */
export const studyResultSchema = z.strictObject({
  origin: originSchema(),
  code: hash.describe("of the modules that compute"),
  settings: settingsSchema,
  models: z.array(modelSchema),
  sizes: sizesSchema,
  calibration: calibrationSchema
    .nullable()
    .describe("over the heads of all models whose images have known factors; null where none have"),
  published: z.array(publishedRowSchema).describe("the six models of the paper"),
});
/** A study of several models. */
export type StudyResult = z.infer<typeof studyResultSchema>;
export const studyResult = resultBuilder(studyResultSchema);
