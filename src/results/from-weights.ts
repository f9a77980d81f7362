import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape } from "./shapes.ts";

/** By what a head's directions are ordered, and what its texts are added up with. */
export const WEIGHTINGS = ["singular value", "variance"] as const;

// Sums of rounded shares may exceed 1 by rounding.
const share = z.number().min(0).max(1.000001);

const textShape = {
  index: count.describe("place in the pool"),
  text: z.string(),
  property: z.string().nullable().describe("what the text speaks of, where its pool says so"),
};
/** An end of a direction in texts. */
export const endSchema = z.strictObject({
  cosine: share.describe("of the end and the sum of its texts"),
  texts: z
    .array(z.strictObject({ ...textShape, coefficient: z.number().min(0) }))
    .describe("the texts, each less the pool's mean and at length 1, whose sum comes near to it"),
});
/** One end of a direction, as a sum of texts. */
export type DirectionEnd = z.infer<typeof endSchema>;

const directionSchema = z.strictObject({
  direction: count.describe("place by singular value, from 0: L3.H1@0 is the strongest"),
  singularValue: z.number().min(0),
  share: share.describe("of the sum of squares of the head's singular values"),
  varianceShare: share
    .nullable()
    .describe("of the variance of what the head writes into the images of the index; null without one"),
  ends: z
    .tuple([endSchema, endSchema])
    .describe("a direction has two; the one that texts come nearer to is first"),
});
/** A direction that a head can write along. */
export type DescribedDirection = z.infer<typeof directionSchema>;

const writtenHeadSchema = z.strictObject({
  ...headShape,
  singularValues: z
    .array(z.number().min(0))
    .describe("of the map from a normalised residual to the joint space"),
  rank: count.describe("singular values above a millionth of the largest"),
  directions: z.array(directionSchema).describe("the first of them, by the weighting"),
  texts: z
    .array(z.strictObject({ ...textShape, weight: z.number().min(0) }))
    .describe(
      "over both ends of these directions, the sum of: the direction's share, by the weighting, times cosine² times the text's share of the squared coefficients; largest first",
    ),
});
/** What a head can write, in texts. */
export type WrittenHead = z.infer<typeof writtenHeadSchema>;

/** What `textspan --from-weights --json` prints: what heads can write, whatever images they are shown. */
export const fromWeightsResultSchema = z.strictObject({
  origin: originSchema("model", "pool"),
  index: originSchema("index")
    .shape.index.nullable()
    .describe("the images that variance is of; null where none is asked for"),
  weighting: z.enum(WEIGHTINGS),
  coherence: z.number().min(0).describe("λ: what likeness to the texts already chosen is worth"),
  textsPerEnd: count.describe("at most"),
  seed: count,
  chance: z
    .strictObject({ mean: share, high: share.describe("the 97.5th percentile"), draws: count })
    .nullable()
    .describe("cosines of the better end of directions that are drawn at random; null without draws"),
  heads: z.array(writtenHeadSchema),
});
/** Heads from their weights, in words. */
export type FromWeightsResult = z.infer<typeof fromWeightsResultSchema>;
export const fromWeightsResult = resultBuilder(fromWeightsResultSchema);
