import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { SCORINGS } from "./scoring.ts";
import { commonSchema, componentSetSchema, count, indexedImageShape, truncatedShape } from "./shapes.ts";

const neighborSchema = z.strictObject({
  ...indexedImageShape,
  score: z.number(),
  percentile: z.number().min(0).max(100).describe("share of searched images that score lower"),
});
/** One image that was found. */
export type Neighbor = z.infer<typeof neighborSchema>;

const origin = originSchema("model", "index", "image");

/** Nearest images: what `neighbors --json` prints and `POST /api/neighbors` answers. */
export const neighborsResultSchema = z.strictObject({
  origin: origin.extend({ image: origin.shape.image.exactOptional() }),
  query: z
    .union([z.strictObject({ image: z.string() }), z.strictObject({ text: z.string() })])
    .describe("an image by the name that it has in `origin`, or a text"),
  components: componentSetSchema,
  ...truncatedShape,
  scoring: z.enum(SCORINGS),
  searched: count,
  excluded: count.describe("copies of the query that were left out"),
  distribution: z
    .strictObject({
      mean: z.number(),
      deviation: z.number().min(0),
      least: z.number(),
      median: z.number(),
      most: z.number(),
    })
    .describe("of the scores of all images searched"),
  neighbors: z.array(neighborSchema).describe("the highest scores, highest first"),
  least: z.array(neighborSchema).describe("the lowest scores, lowest first"),
  random: z.array(neighborSchema).describe("images drawn at random, against cherry-picking"),
  common: z
    .strictObject({
      neighbors: z.array(commonSchema),
      least: z.array(commonSchema),
      leftOut: z
        .array(z.string())
        .describe("known factors with more than 100,000 values, of which nothing is said"),
    })
    .nullable()
    .describe(
      "values of known factors that the images found have more often than all that were searched, beyond chance; null where nothing is known of the images, or there are more than 200,000",
    ),
});
/** The images of an index that some components hold most and least like a query. */
export type NeighborsResult = z.infer<typeof neighborsResultSchema>;

export const neighborsResult = resultBuilder(neighborsResultSchema);
