import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(0);

/** What `selectivity --json` prints. */
export const selectivityResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  index: z.string(),
  images: count,
  permutations: count,
  factors: z.array(z.strictObject({ name: z.string(), values: count, images: count })),
  components: z.array(
    z.strictObject({
      name: z.string(),
      factors: z
        .array(
          z.strictObject({
            explained: z
              .number()
              .describe("η²: share of the component's variance between the factor's groups"),
            share: share.describe("ε²: the same beyond chance, at least 0"),
            chance: share.describe("(G − 1)/(n − 1): what shuffled groups explain on average"),
            highestByChance: z.number().describe("the highest η² among the permutations"),
          }),
        )
        .describe("in the order of `factors`"),
    }),
  ),
});

const mean = z.strictObject({ mean: share, low: share, high: share });

/** What `evaluate retrieval --json` prints. */
export const retrievalResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  index: z.string(),
  k: count,
  factors: z.array(z.strictObject({ name: z.string(), queries: count, chance: share })),
  rows: z
    .array(z.strictObject({ chosenFor: z.string(), heads: z.array(z.string()), precision: z.array(mean) }))
    .describe(
      "heads chosen for a factor on one half of the images; precision@k by every factor on the other",
    ),
});
