import { z } from "zod";
import { precisionSchema } from "./precision.ts";

/** One text's score and its exact decomposition, as `explain --json` prints it. */
export const explanationSchema = z.strictObject({
  text: z.string(),
  similarity: z.number().describe("cosine of image and text embedding"),
  heads: z.array(z.strictObject({ layer: z.int().min(0), head: z.int().min(0), value: z.number() })),
  mlps: z.array(z.strictObject({ component: z.string(), value: z.number() })),
  sum: z.number().describe("sum of every head and MLP term"),
  error: z.number().min(0).describe("|sum - similarity|"),
});

/** What `explain --json` prints. */
export const explainResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  image: z.string(),
  sumError: z
    .number()
    .min(0)
    .describe("largest entry of |sum of parts - embedding| over the largest of the embedding"),
  texts: z.array(explanationSchema),
});
