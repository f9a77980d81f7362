import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headSchema, headShape, share } from "./shapes.ts";

/** Rounding may take it a little past 1. */
const similarity = z.number().min(0).max(1.001);

/** "Which heads respond like this one?": what `similar --json` prints. */
export const similarResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  head: headSchema,
  permutations: count,
  heads: z
    .array(
      z.strictObject({
        ...headShape,
        similarity: similarity.describe("linear CKA with the head, over the images of the index"),
        chance: similarity.describe("mean over all orders of one head's images; exact"),
        highestByChance: similarity.describe("highest among the permutations of this pair"),
        percentile: share.describe("share of the model's other heads that are less similar"),
      }),
    )
    .describe("most similar first"),
});
/** "Which heads respond like this one?" */
export type SimilarResult = z.infer<typeof similarResultSchema>;

export const similarResult = resultBuilder(similarResultSchema);
