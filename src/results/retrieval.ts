import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { SCORINGS } from "./scoring.ts";
import { count, share, weightedHeadSchema } from "./shapes.ts";

const meanSchema = z.strictObject({ mean: share, low: share, high: share });
/** A mean over queries with its 95 % interval. */
export type MeanShare = z.infer<typeof meanSchema>;

const hubnessSchema = z
  .strictObject({
    never: share.describe("share of the images that are in nobody's list of the nearest"),
    most: count.describe("lists that the commonest image is in"),
    skewness: z.number().describe("of the number of lists that an image is in; 0 where all are in as many"),
  })
  .describe("whether the same few images are everyone's neighbours");
/** Whether the same few images are everyone's neighbours. */
export type Hubness = z.infer<typeof hubnessSchema>;

/** How well heads retrieve: what `evaluate retrieval --json` prints. */
export const retrievalResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  k: count,
  scoring: z.enum(SCORINGS),
  factors: z.array(z.strictObject({ name: z.string(), queries: count, chance: share })),
  rows: z
    .array(
      z.strictObject({
        chosenFor: z.string().describe("the factor whose heads these are; `embedding` for the whole"),
        hubness: hubnessSchema,
        heads: z.array(weightedHeadSchema).describe("weight −1 where a head writes away from what it sees"),
        precisionAtK: z.array(meanSchema).describe("in the order of `factors`"),
      }),
    )
    .describe("heads chosen for a factor on one half of the images, measured by every factor on the other"),
});
/** How well the heads chosen for each factor retrieve by every factor. */
export type RetrievalResult = z.infer<typeof retrievalResultSchema>;

export const retrievalResult = resultBuilder(retrievalResultSchema);
