import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const index = z.int().min(0);
const grid = z.array(z.array(z.number())).describe("rows of patches, top to bottom, left to right");

const rectangle = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});

/** One text's map, as `segment --json` prints it. */
const segmentedTextSchema = z.strictObject({
  text: z.string(),
  similarity: z.number().describe("cosine of image and text; of a contrast, minus the mean of the others'"),
  values: grid.describe("what the heads wrote at each patch towards the text: shares of the score"),
  patches: z.number().describe("sum of the values"),
  cls: z.number().describe("share of the CLS token, which is no part of the map"),
  sum: z.number().describe("patches + cls"),
  score: z.number().describe("the heads' score, computed from their outputs and not from tokens"),
  error: z.number().min(0).describe("|sum - score|"),
  token: z
    .strictObject({
      row: index,
      column: index,
      value: z.number(),
      heads: z
        .array(z.strictObject({ head: z.string(), value: z.number() }))
        .describe("largest first by size; they sum to the value"),
    })
    .optional()
    .describe("with --token"),
});

/** What `segment --json` prints. */
export const segmentResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  image: z.string(),
  mode: z.enum(["topic", "contrast"]),
  heads: z.array(z.string()).describe("every head that was read, with weights other than 1"),
  grid: z.strictObject({ rows: index, columns: index }),
  original: z.strictObject({ width: index, height: index }).describe("upright, unless --no-exif"),
  placement: rectangle.describe("where the grid lies, in pixels of the original"),
  texts: z.array(segmentedTextSchema),
  winners: z
    .strictObject({
      text: z.array(z.array(index)).describe("index of the text whose own map is highest"),
      margin: grid.describe("by how much it is above the next"),
      counts: z.array(index).describe("patches that each text wins"),
    })
    .optional()
    .describe("of two or more texts"),
  baselines: z
    .array(
      z.strictObject({
        name: z.string(),
        paper: z.string(),
        text: z.string().nullable().describe("null where the method does not read the text"),
        values: grid,
      }),
    )
    .optional()
    .describe("with --baselines"),
});
