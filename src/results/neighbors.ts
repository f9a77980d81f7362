import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const neighborSchema = z.strictObject({
  path: z.string(),
  id: z.string(),
  label: z.string().nullable(),
  score: z.number(),
  percentile: z.number().min(0).max(100).describe("share of searched images that score lower"),
});

/** What `neighbors --json` prints. */
export const neighborsResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  index: z.string(),
  query: z.union([z.strictObject({ image: z.string() }), z.strictObject({ text: z.string() })]),
  heads: z.array(z.string()).describe("every component that was read, with weights other than 1"),
  scoring: z.enum(["dot", "cosine", "z"]),
  searched: z.int().min(0),
  excluded: z.int().min(0).describe("copies of the query that were left out"),
  distribution: z
    .strictObject({
      mean: z.number(),
      deviation: z.number().min(0),
      least: z.number(),
      median: z.number(),
      most: z.number(),
    })
    .describe("of the scores of all images searched"),
  neighbors: z.array(neighborSchema),
  least: z.array(neighborSchema).describe("the lowest scores, lowest first"),
  random: z.array(neighborSchema).describe("images drawn at random"),
});
