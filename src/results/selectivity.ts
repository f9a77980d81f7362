import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape, mlpShape, share } from "./shapes.ts";

export const marginSchema = z.strictObject({
  mean: z
    .number()
    .describe(
      "how much more an image gets towards its own value's text than towards the others', as part of the cosine",
    ),
  low: z.number().describe("of its 95 % interval over images"),
  high: z.number(),
  first: share.describe("share of images in which their own value's text leads; 1/values by chance"),
  last: share.describe("share in which it has the lowest score of all; 1/values by chance"),
});
/** How far a component's score on the text of the value that it sees lies above its scores on the other values' texts. */
export type Margin = z.infer<typeof marginSchema>;

const factorSelectivitySchema = z.strictObject({
  explained: z.number().describe("η²: share of the component's variance between the factor's groups"),
  share: share.describe("ε²: the same beyond chance, at least 0"),
  chance: share.describe("(G − 1)/(n − 1): what shuffled groups explain on average"),
  highestByChance: z.number().describe("the highest η² among the permutations"),
  p: share.describe("how often shuffled groups explain as much, adjusted for all components and factors"),
  sign: z
    .union([z.literal(1), z.literal(-1)])
    .nullable()
    .describe(
      "1: writes towards the text of the value it sees; −1: away from it; null: neither for certain, or unknown",
    ),
  margin: marginSchema.nullable().describe("what the sign is of; null without texts"),
});
/** What one factor explains of one component. */
export type FactorSelectivity = z.infer<typeof factorSelectivitySchema>;

const factors = z.array(factorSelectivitySchema).describe("in the order of the result's `factors`");

/** Which head follows which factor: what `selectivity --json` prints. */
export const selectivityResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  images: count.describe("images that were measured"),
  permutations: count,
  factors: z.array(
    z.strictObject({
      name: z.string(),
      values: count,
      images: count.describe("that have a value"),
      texts: z
        .array(z.strictObject({ value: z.string(), texts: z.array(z.string()).min(1) }))
        .describe("what says each value, for the sign; none where the model reads none"),
      unsigned: z.string().nullable().describe("why no component has a sign; null where signs were measured"),
    }),
  ),
  heads: z.array(z.strictObject({ ...headShape, factors })).describe("layer by layer"),
  mlps: z.array(z.strictObject({ ...mlpShape, factors })).describe("if the index holds them"),
  embedding: z.strictObject({ factors }).describe("the sum of all components"),
});
/** How much of each component's variance each known factor explains. */
export type SelectivityResult = z.infer<typeof selectivityResultSchema>;

export const selectivityResult = resultBuilder(selectivityResultSchema);
