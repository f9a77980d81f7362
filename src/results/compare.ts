import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const count = z.int().min(0);
const share = z.number().min(0).max(1);
/** Rounding may take it a little past 1. */
const similarity = z.number().min(0).max(1.001);

const sideSchema = z.strictObject({
  model: z.string(),
  weights: z.string().describe("SHA-256"),
  precision: precisionSchema,
  index: z.string(),
  heads: z.array(z.string()),
});

const bestSchema = z
  .array(z.strictObject({ head: z.string(), match: z.string(), similarity, mutual: z.boolean() }))
  .describe("the most similar head of the other side; mutual: each is the other's");

/** What `compare --json` prints. */
export const compareResultSchema = z.strictObject({
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
  bestOfA: bestSchema,
  bestOfB: bestSchema,
  mutual: count.describe("pairs above chance that are each other's best match"),
  pairs: z.array(
    z.strictObject({
      a: z.string(),
      b: z.string(),
      similarity,
      low: share.describe("95 % interval over images (delete-a-group jackknife, 20 blocks)"),
      high: share,
      chance: similarity.describe("mean over all orders of one side's images; exact"),
      highestByChance: similarity.describe("highest among the permutations of this pair"),
      factors: z
        .array(z.strictObject({ name: z.string(), a: share, b: share }))
        .describe("ε² of factors that explain more of both heads than of any permutation"),
      axis: z
        .strictObject({
          share: share.describe("share of the pair's likeness that lies on the axis"),
          correlation: z.number().min(-1.001).max(1.001),
          most: z.array(z.string()).describe("images of a at one end"),
          least: z.array(z.string()).describe("images of a at the other end"),
        })
        .describe("what both have most in common: first singular vectors of their cross-covariance"),
    }),
  ),
});
