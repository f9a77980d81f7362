import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, share } from "./shapes.ts";

const measuredSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
const methodSchema = z.strictObject({
  name: z.string(),
  paper: z.string().nullable().describe("of a method that is not this project's"),
  components: componentSetSchema.nullable().describe("what it read; null of a method that reads no set"),
  meanIou: measuredSchema.describe("mean over classes of Σ intersection / Σ union, sums over all images"),
  difference: measuredSchema.describe("mIoU minus the first method's, on the same images"),
  pixelAccuracy: measuredSchema,
  classes: z
    .array(share.nullable())
    .describe("IoU of each class; null of one that neither occurs nor was found"),
});

/** A benchmark of open-vocabulary segmentation: what `evaluate benchmark --json` prints. */
export const benchmarkResultSchema = z.strictObject({
  origin: originSchema("model"),
  benchmark: z.string(),
  title: z.string(),
  source: z.string().describe("the folder's name"),
  foreign: z
    .boolean()
    .describe("the model is one of generated scenes: a test of the measurement, not of the model"),
  images: count.describe("that were evaluated"),
  classes: z.array(z.string()),
  background: z.boolean().describe("whether the first class is the background"),
  names: count.describe("names that classes are looked for by; a class has the best of its own"),
  templates: count.describe("texts that each name is put into"),
  window: z.strictObject({ size: count, stride: count, shortSide: count }).describe("in pixels"),
  logitScale: z.number().describe("multiplies cosines before the softmax over names"),
  threshold: share
    .nullable()
    .describe("pixels of a lower probability are background; null without a background"),
  draws: count.describe("bootstrap resamples of the images behind the 95 % intervals"),
  seed: count,
  methods: z.array(methodSchema),
  rejected: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
});
/** A benchmark of open-vocabulary segmentation. */
export type BenchmarkResult = z.infer<typeof benchmarkResultSchema>;

export const benchmarkResult = resultBuilder(benchmarkResultSchema);
