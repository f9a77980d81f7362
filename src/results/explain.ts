import { z } from "zod";
import { replacementSchema } from "./accuracy.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, headShape, mlpShape, truncatedShape } from "./shapes.ts";

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

const headValues = z.array(z.strictObject({ ...headShape, value: z.number() }));

/** How an average picture scores for a text. */
export const averageScoreSchema = z.strictObject({
  text: z.string(),
  similarity: z.number().describe("mean cosine of the index's images with the text"),
  heads: headValues.describe("the mean of each head's part in it, layer by layer"),
});
/** How an average picture scores for a text. */
export type AverageScore = z.infer<typeof averageScoreSchema>;

/** A score with and without the direct effects of some heads. */
export const scoreWithoutSchema = z.strictObject({
  text: z.string(),
  similarity: z.number().describe("with all heads"),
  without: z.number().describe("without the direct effects of the chosen heads"),
  random: z
    .strictObject({
      draws: count,
      exhaustive: z.boolean().describe("whether these are all the sets there are"),
      mean: z.number(),
      low: z.number().describe("2.5th percentile"),
      high: z.number().describe("97.5th percentile"),
    })
    .nullable()
    .describe("the score without as many random heads instead; null where there are no others"),
});

const comparedTextSchema = z.strictObject({
  text: z.string(),
  score: z.number().describe("the score less that of what it is held against"),
  heads: headValues,
  mlps: z
    .array(z.strictObject({ ...mlpShape, value: z.number() }))
    .nullable()
    .describe("null less the average picture, of which only the heads' parts are known"),
});
/** A text's score less what it is held against. */
export type ComparedText = z.infer<typeof comparedTextSchema>;

const indexSchema = originSchema("index").shape.index;

/** "Why this score?": what `explain --json` prints and `POST /api/explain` answers. */
export const explainResultSchema = z.strictObject({
  origin: originSchema("model", "image"),
  sumError: z
    .number()
    .min(0)
    .describe("largest entry of |sum of parts - embedding| over the largest of the embedding"),
  texts: z.array(explanationSchema),
  compared: z
    .strictObject({
      against: z.string().nullable().describe("the text whose parts are taken off the others'"),
      less: indexSchema.nullable().describe("the index whose average picture is taken off"),
      texts: z.array(comparedTextSchema),
    })
    .exactOptional()
    .describe(
      "the same scores held against another text, the average picture, or both; where that is asked for",
    ),
  ablated: z
    .strictObject({
      components: componentSetSchema,
      replacement: replacementSchema,
      over: indexSchema.nullable().describe("whose means take the heads' place; null where nothing does"),
      texts: z.array(scoreWithoutSchema),
    })
    .exactOptional()
    .describe("scores without the direct effects of some heads; where that is asked for"),
  ...truncatedShape,
});
/** "Why this score?": every text's score, taken apart. */
export type ExplainResult = z.infer<typeof explainResultSchema>;

export const explainResult = resultBuilder(explainResultSchema);
