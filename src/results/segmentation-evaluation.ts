import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, share } from "./shapes.ts";

/** The two questions: the class that the image is taken for, and every class that is there. */
export const PROTOCOLS = ["predicted", "true"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

const measuredSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
/** A measured share with its interval. */
export type Measured = z.infer<typeof measuredSchema>;
const measuresSchema = z.strictObject({
  pixelAccuracy: measuredSchema,
  meanIou: measuredSchema,
  meanPrecision: measuredSchema,
});
/** The three numbers of the protocol: pixel accuracy, mIoU, mAP. */
export type SegmentationMetric = keyof z.infer<typeof measuresSchema>;
const byProtocol = z.strictObject({
  predicted: measuresSchema.describe("the map of the class that the image is most similar to"),
  true: measuresSchema.describe("the map of every class that is there"),
});
const perProtocol = <T extends z.ZodType>(of: T) => z.strictObject({ predicted: of, true: of });

const methodSchema = z.strictObject({
  name: z.string(),
  paper: z.string().nullable().describe("of a method that is not this project's"),
  components: componentSetSchema.nullable().describe("what it read; null of a method that reads no set"),
  measures: byProtocol,
  difference: byProtocol.describe("minus the first method, on the same images"),
});
/** What one method reached. */
export type EvaluatedMethod = z.infer<typeof methodSchema>;

const answerSchema = z.strictObject({
  rank: z.enum(["best", "middle", "worst"]),
  image: z.string(),
  name: z.string().describe("the class"),
  predicted: z.string().describe("the class that the image is most similar to"),
  iou: share.describe("mean over background and foreground of the image's own intersection over union"),
});
/** One class of one image, as the first method found it. */
export type SegmentationAnswer = z.infer<typeof answerSchema>;

/** How well maps find things whose masks are known: what `evaluate segmentation --json` prints. */
export const segmentationEvaluationSchema = z.strictObject({
  origin: originSchema("model"),
  source: z.string().describe("where the images come from"),
  foreign: z
    .boolean()
    .describe("images that are not of the model's world: they test the measurement, not the model"),
  images: count.describe("that were evaluated"),
  size: count.describe("side at which maps and masks are compared, in pixels: what the model reads"),
  classes: count,
  occurring: count.describe("classes that occur"),
  leftOut: count.describe("classes in an image that fill less than `leastShare` of it"),
  leastShare: share,
  asked: perProtocol(count).describe("pairs of image and class"),
  predictedRight: share.describe("images whose predicted class fills most of the mask"),
  foreground: perProtocol(share).describe("mean share of labelled pixels that is foreground"),
  draws: count.describe("bootstrap resamples of the images behind the 95 % intervals"),
  seed: count,
  methods: z.array(methodSchema),
  answers: z.array(answerSchema).describe("some of the first method's answers to the second question"),
  rejected: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
  unmatched: z.array(z.string()).describe("images without a mask, masks without an image"),
});
/** How well maps find things whose masks are known. */
export type SegmentationEvaluation = z.infer<typeof segmentationEvaluationSchema>;

export const segmentationEvaluation = resultBuilder(segmentationEvaluationSchema);
