import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, headSchema, indexedImageShape, share } from "./shapes.ts";

/** Rounding may take it a little past 1. */
const similarity = z.number().min(0).max(1.001);

const sideSchema = z.strictObject({
  origin: originSchema("model", "index"),
  components: componentSetSchema.describe("heads that are compared; weights mean nothing here"),
});

const bestSchema = z.strictObject({
  a: headSchema,
  b: headSchema,
  similarity,
  mutual: z.boolean().describe("whether each is the other's most similar head"),
});
/** A head with the most similar head of the other model. */
export type BestMatch = z.infer<typeof bestSchema>;

const commonFactorSchema = z.strictObject({ name: z.string(), a: share, b: share });
/** What both heads of a pair follow: ε² of one factor for each. */
export type CommonFactor = z.infer<typeof commonFactorSchema>;

const image = z.strictObject(indexedImageShape);

const pairSchema = z.strictObject({
  a: headSchema,
  b: headSchema,
  similarity,
  low: share.describe("95 % interval over images (delete-a-group jackknife, 20 blocks)"),
  high: share,
  chance: similarity.describe("mean over all orders of one side's images; exact"),
  highestByChance: similarity.describe("highest among the permutations of this pair"),
  factors: z
    .array(commonFactorSchema)
    .describe("factors that explain more of both heads than of any permutation, strongest first"),
  axis: z
    .strictObject({
      share: share.describe("share of the pair's likeness that lies on the axis"),
      correlation: z.number().min(-1.001).max(1.001),
      most: z.array(image).describe("images of a at one end"),
      least: z.array(image).describe("images of a at the other end"),
    })
    .describe("what both have most in common: first singular vectors of their cross-covariance"),
});
/** Two heads, each of which is the other's best match. */
export type HeadPair = z.infer<typeof pairSchema>;

/** Two models head by head: what `compare --json` prints. */
export const compareResultSchema = z.strictObject({
  origin: originSchema(),
  a: sideSchema,
  b: sideSchema,
  images: count.describe("images that were used"),
  shared: count.describe("different images that both indexes hold"),
  onlyA: count,
  onlyB: count,
  similarity: z
    .array(z.array(similarity))
    .describe("linear CKA, a row for each head of a, a column for each of b"),
  chance: z.strictObject({
    mean: similarity.describe("mean over all pairs and all orders of one side's images; exact"),
    highest: similarity.describe("highest of any pair in any permutation"),
    permutations: count,
  }),
  bestOfA: z.array(bestSchema).describe("every head of a with its most similar head of b"),
  bestOfB: z.array(bestSchema).describe("every head of b with its most similar head of a"),
  mutual: count.describe("pairs above chance that are each other's best match"),
  pairs: z.array(pairSchema).describe("the best of these"),
});
/** Which heads of two models respond alike to the same images, and to what. */
export type CompareResult = z.infer<typeof compareResultSchema>;

export const compareResult = resultBuilder(compareResultSchema);
