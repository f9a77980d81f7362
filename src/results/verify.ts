import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape, share } from "./shapes.ts";

/** Pictures to try a model on: generated scenes for the embedded ones, photographs for every other CLIP. */
export const SUITES = ["scenes", "photos"] as const;
export type SuiteName = (typeof SUITES)[number];

const size = z.int().min(1);
const checkSchema = z.strictObject({
  name: z.enum(["sums", "same bits", "float32", "zero-shot"]),
  status: z
    .enum(["pass", "warn", "fail"])
    .describe("fail: the numbers must not be used, and the exit code is 1"),
  value: z.number().nullable().describe("what was measured; null where nothing could be"),
  result: z.string().describe("the same in words"),
  meaning: z.string(),
});
/** What one check found. */
export type Check = z.infer<typeof checkSchema>;

const guessSchema = z.strictObject({
  file: z.string(),
  text: z.string(),
  similarity: z.number().describe("cosine of the two embeddings"),
  isTrue: z.boolean(),
});
/** The text that fits a picture best. */
export type PictureGuess = z.infer<typeof guessSchema>;

/** Whether a model may be used: what `verify --json` prints. */
export const verifyResultSchema = z.strictObject({
  origin: originSchema("model"),
  architecture: z.strictObject({
    layers: size,
    heads: size,
    headDim: size,
    patchSize: size,
    imageSize: size,
    embedDim: size,
    activation: z.enum(["gelu", "quick_gelu", "gelu_tanh", "silu", "relu"]),
    parameters: size.describe("weights of both towers"),
  }),
  pictures: z.enum(SUITES).describe("what it was tried on"),
  checks: z.array(checkSchema),
  imagesPerSecond: z
    .number()
    .positive()
    .nullable()
    .describe("of small batches once the model is loaded; null when the sums failed"),
  guesses: z.array(guessSchema).describe("none where no texts could be encoded"),
  published: z
    .strictObject({
      model: z.string(),
      source: z.string(),
      heads: z.array(z.strictObject({ ...headShape, label: z.string() })),
      sharedLabels: share.describe("share of heads whose published label, as written, another head has too"),
      entanglement: share.nullable().describe("as printed; follows from the labels under no rule tried"),
      association: share.nullable(),
      consistency: z.strictObject({ high: count, moderate: count, low: count }),
    })
    .nullable()
    .describe("what others published about this model, where it is one of the paper's six"),
});
/** Whether a model may be used. */
export type VerifyResult = z.infer<typeof verifyResultSchema>;

export const verifyResult = resultBuilder(verifyResultSchema);

/** What a page without a server says when it is asked whether it computes rightly: of a few of its pictures. */
const tabCheckResultSchema = z.strictObject({
  origin: originSchema("model"),
  runtime: z.string().describe("what the model runs in, with its version"),
  threads: size,
  pictures: size.describe("that were decomposed"),
  checks: z.array(checkSchema),
});
/** Whether a page computes rightly. */
export type TabCheckResult = z.infer<typeof tabCheckResultSchema>;

export const tabCheckResult = resultBuilder(tabCheckResultSchema);
