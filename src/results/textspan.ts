import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, headShape, intervalSchema, mlpShape } from "./shapes.ts";

// Sums of rounded shares may exceed 1 by rounding.
const share = z.number().min(0).max(1.000001);
const curve = z.array(share);

const drawnShape = { mean: curve, low: curve, high: curve, draws: count };
const controlSchema = z
  .strictObject({
    rotated: z
      .strictObject(drawnShape)
      .describe(
        "the same greedy choice from the pool after random rotations of the joint space: mean and 95 % range over draws",
      ),
    gaussian: z
      .strictObject(drawnShape)
      .describe("the same choice among as many directions that are drawn at random"),
    ceiling: curve.describe("principal components: the most that k directions can explain"),
    p: z
      .array(z.number().min(0).max(1))
      .describe("(1 + rotations that explain as much) / (1 + rotations), for the first 1, 2, … texts"),
  })
  .describe("shares of the total variance that the first 1, 2, … directions explain together");
/** What to compare the variance that TEXTSPAN explains with. */
export type ControlCurves = z.infer<typeof controlSchema>;

const stabilitySchema = z.strictObject({
  resamples: count,
  blocks: count.describe("images were dealt into so many, and these were drawn"),
  chosenShare: z
    .array(share)
    .describe("share of resamples that choose the text too, in whatever place, in the order of `selected`"),
  overlap: intervalSchema.describe(
    "average overlap of the order with a resample's, mean over k of |first k ∩ first k| / k: mean and 95 % range",
  ),
  overlapByChance: share.describe("what two random orders of the pool's texts overlap on average"),
  explained: intervalSchema.describe("share of a resample's variance that the chosen texts explain together"),
});
/** How a choice of texts fares when the images are drawn again. */
export type Stability = z.infer<typeof stabilitySchema>;

const descriptionSchema = z.strictObject({
  index: count.describe("place in the pool"),
  text: z.string(),
  property: z.string().nullable().describe("what the text speaks of, where its pool says so"),
  explainedVariance: share.describe("share of the variance that it explains beyond the texts before it"),
  chosenShare: share.nullable().describe("share of resamples that choose it too; null without resamples"),
});
/** A text that was chosen for a head. */
export type Description = z.infer<typeof descriptionSchema>;

const spanShape = {
  selected: z.array(count).describe("places in the pool of the texts chosen, in order"),
  explainedVariance: z.array(share).describe("share of the total variance that each step explains"),
  descriptions: z.array(descriptionSchema).describe("the texts chosen, most telling first"),
  totalVariance: z
    .number()
    .min(0)
    .describe("mean squared distance of a contribution to the mean contribution"),
  rank: count.describe("directions of the contributions that texts were projected on: no more can be chosen"),
  control: controlSchema.nullable().describe("null where no rotation was asked for"),
  stability: stabilitySchema.nullable().describe("null without resamples, and where there is one image"),
};
const spanSchema = z.strictObject(spanShape);
/** What varies in a component's contributions, in texts. */
export type Span = z.infer<typeof spanSchema>;

/** A head in texts. */
export const describedHeadSchema = z.strictObject({ ...headShape, ...spanShape });

/** What `textspan --index … --json` prints: heads in words. */
export const textspanResultSchema = z.strictObject({
  origin: originSchema("model", "index", "pool"),
  iterations: count.describe("texts a head, at most"),
  resamples: count,
  seed: count,
  heads: z.array(describedHeadSchema),
  mlps: z.array(z.strictObject({ ...mlpShape, ...spanShape })),
  joint: z
    .strictObject({ components: componentSetSchema, ...spanShape })
    .nullable()
    .describe("all components as one; null where each is described by itself"),
});
/** Heads in words. */
export type TextspanResult = z.infer<typeof textspanResultSchema>;
export const textspanResult = resultBuilder(textspanResultSchema);

/** What `textspan --contributions … --json` prints. A text that no file names is called `text 17`. */
export const textspanArraysResultSchema = z.strictObject({
  origin: originSchema(),
  contributions: z.strictObject({ name: z.string(), images: count }),
  textFeatures: z.strictObject({ name: z.string(), texts: count }),
  iterations: count,
  seed: count,
  requestedRank: count.nullable(),
  numericalRank: count.describe("directions that the contributions fill"),
  ...spanShape,
});
/** Contributions that were computed elsewhere, in words. */
export type TextspanArraysResult = z.infer<typeof textspanArraysResultSchema>;
export const textspanArraysResult = resultBuilder(textspanArraysResultSchema);
