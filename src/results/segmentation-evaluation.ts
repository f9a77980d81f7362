import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const measured = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
const measures = z.strictObject({
  pixelAccuracy: measured,
  meanIou: measured,
  meanPrecision: measured,
});
const byProtocol = z.strictObject({
  predicted: measures.describe("the map of the class that the image is most similar to"),
  true: measures.describe("the map of every class that is there"),
});
const perProtocol = <T extends z.ZodType>(of: T) => z.strictObject({ predicted: of, true: of });

/** What `evaluate segmentation --json` prints. */
export const segmentationEvaluationSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
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
  methods: z.array(
    z.strictObject({
      name: z.string(),
      paper: z.string().nullable().describe("of a method that is not this project's"),
      heads: z.array(z.string()),
      measures: byProtocol,
      difference: byProtocol.describe("minus the first method, on the same images"),
    }),
  ),
  rejected: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
  unmatched: z.array(z.string()).describe("images without a mask, masks without an image"),
  notice: z.string().optional(),
});
