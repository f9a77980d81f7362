import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { rectangleSchema, sizeSchema } from "./shapes.ts";

/** What `preprocess --json` prints. */
export const preprocessResultSchema = z.strictObject({
  origin: originSchema("image"),
  out: z.string(),
  size: z.int().min(1).describe("side of the written square, in pixels"),
  original: sizeSchema,
  placement: rectangleSchema.describe(
    "the part of the upright original that the square shows, in its pixels",
  ),
});

export const preprocessResult = resultBuilder(preprocessResultSchema);
