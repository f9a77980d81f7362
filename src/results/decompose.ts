import { z } from "zod";
import { precisionSchema } from "./precision.ts";

/** What `decompose --json` prints about the arrays it wrote. */
export const decomposeResultSchema = z.strictObject({
  model: z.string(),
  precision: precisionSchema,
  images: z.int().min(1),
  files: z.array(z.strictObject({ path: z.string(), shape: z.array(z.int()) })),
  sumError: z.number().min(0).describe("largest relative error of a sum of parts against its embedding"),
});
