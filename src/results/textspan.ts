import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const count = z.int().min(0);
// Sums of rounded shares may exceed 1 by rounding.
const share = z.number().min(0).max(1.000001);
const curve = z.array(share);
const spread = z.strictObject({ mean: z.number(), low: z.number(), high: z.number() });

const span = {
  selected: z.array(count).describe("places in the pool of the texts chosen, in order"),
  explainedVariance: z.array(share).describe("share of the total variance that each step explains"),
  totalVariance: z
    .number()
    .min(0)
    .describe("mean squared distance of a contribution to the mean contribution"),
  rank: count.describe("directions of the contributions that texts were projected on"),
};

const control = z
  .strictObject({
    randomTexts: z
      .strictObject({ mean: curve, low: curve, high: curve, draws: count })
      .describe("texts drawn from the pool at random: mean and 95 % range over draws"),
    randomDirections: curve.describe("k/rank: random directions, on average"),
    ceiling: curve.describe("principal components: the most that k directions can explain"),
  })
  .describe("shares of the total variance that the first 1, 2, … directions explain together");

const stability = z.strictObject({
  resamples: count,
  blocks: count,
  chosenShare: z
    .array(share)
    .describe("share of resamples that choose the text too, in the order of `selected`"),
  overlap: spread.describe("average overlap of the order with a resample's: mean and 95 % range"),
  overlapByChance: share,
  explained: spread.describe("share of a resample's variance that the chosen texts explain together"),
});

/** One head of {@link textspanResultSchema}. */
const describedHead = z.strictObject({
  head: z.string(),
  components: z.array(z.string()),
  ...span,
  descriptions: z.array(
    z.strictObject({
      index: count,
      text: z.string(),
      property: z.string().nullable(),
      explainedVariance: share,
      chosenShare: share.nullable(),
    }),
  ),
  control,
  stability: stability.nullable(),
});

/** What `textspan --index … --json` prints. */
export const textspanResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  index: z.string(),
  images: count,
  pool: z.strictObject({ name: z.string(), hash: z.string(), texts: count }),
  iterations: count,
  seed: count,
  heads: z.array(describedHead),
});

/** What `textspan --contributions … --json` prints. */
export const textspanArraysResultSchema = z.strictObject({
  ...span,
  numericalRank: count.describe("directions that the contributions fill"),
  requestedRank: count.nullable(),
  images: count,
  texts: z.array(z.string()).nullable().describe("the texts chosen, where --texts names them"),
  iterations: count,
  control,
});
