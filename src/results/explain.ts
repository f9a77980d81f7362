import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { headShape, mlpShape, truncatedShape } from "./shapes.ts";

/** Why an image scores as it does for one text: every component's exact share. */
const explanationSchema = z.strictObject({
  text: z.string(),
  similarity: z
    .number()
    .describe("cosine of image and text embedding, computed from the embeddings themselves"),
  heads: z.array(z.strictObject({ ...headShape, value: z.number() })).describe("layer by layer"),
  mlps: z.array(z.strictObject({ ...mlpShape, value: z.number() })).describe("embed, then every layer's MLP"),
  sum: z.number().describe("sum of every head and MLP term"),
  error: z.number().min(0).describe("|sum - similarity|: the self-check"),
});
/** Why an image scores as it does for one text: every component's exact share. */
export type Explanation = z.infer<typeof explanationSchema>;

/** "Why this score?": what `explain --json` prints and `POST /api/explain` answers. */
export const explainResultSchema = z.strictObject({
  origin: originSchema("model", "image"),
  sumError: z
    .number()
    .min(0)
    .describe("largest entry of |sum of parts - embedding| over the largest of the embedding"),
  texts: z.array(explanationSchema),
  ...truncatedShape,
});
/** "Why this score?": every text's score, taken apart. */
export type ExplainResult = z.infer<typeof explainResultSchema>;

export const explainResult = resultBuilder(explainResultSchema);
