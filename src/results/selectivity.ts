import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape, mlpShape, share } from "./shapes.ts";

const factorSelectivitySchema = z.strictObject({
  explained: z.number().describe("η²: share of the component's variance between the factor's groups"),
  share: share.describe("ε²: the same beyond chance, at least 0"),
  chance: share.describe("(G − 1)/(n − 1): what shuffled groups explain on average"),
  highestByChance: z.number().describe("the highest η² among the permutations"),
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
    z.strictObject({ name: z.string(), values: count, images: count.describe("that have a value") }),
  ),
  heads: z.array(z.strictObject({ ...headShape, factors })).describe("layer by layer"),
  mlps: z.array(z.strictObject({ ...mlpShape, factors })).describe("if the index holds them"),
  embedding: z.strictObject({ factors }).describe("the sum of all components"),
});
/** How much of each component's variance each known factor explains. */
export type SelectivityResult = z.infer<typeof selectivityResultSchema>;

export const selectivityResult = resultBuilder(selectivityResultSchema);
