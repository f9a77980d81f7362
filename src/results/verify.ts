import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const count = z.int().min(1);
const share = z.number().min(0).max(1);

/** What `verify --json` prints. */
export const verifyResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  device: z.string(),
  architecture: z.strictObject({
    layers: count,
    heads: count,
    headDim: count,
    patchSize: count,
    imageSize: count,
    embedDim: count,
    activation: z.enum(["gelu", "quick_gelu"]),
    parameters: count.describe("weights of both towers"),
  }),
  pictures: z.enum(["scenes", "photos"]).describe("what it was tried on"),
  checks: z.array(
    z.strictObject({
      name: z.enum(["sums", "same bits", "float32", "zero-shot"]),
      status: z
        .enum(["pass", "warn", "fail"])
        .describe("fail: the numbers must not be used, and the exit code is 1"),
      value: z.number().nullable(),
      result: z.string(),
      meaning: z.string(),
    }),
  ),
  imagesPerSecond: z.number().positive().nullable(),
  guesses: z.array(
    z.strictObject({ file: z.string(), text: z.string(), similarity: z.number(), isTrue: z.boolean() }),
  ),
  published: z
    .strictObject({
      model: z.string(),
      source: z.string(),
      heads: z.array(z.strictObject({ head: z.string(), label: z.string() })),
      sharedLabels: share.describe(
        "share of heads whose published label, as written, another head bears too",
      ),
      entanglement: share.nullable().describe("as printed; follows from the labels under no rule tried"),
      association: share.nullable(),
      consistency: z.strictObject({
        high: z.int().min(0),
        moderate: z.int().min(0),
        low: z.int().min(0),
      }),
    })
    .nullable()
    .describe("what others published about this model, where it is one of the paper's six"),
});
