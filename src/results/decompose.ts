import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";

/** The arrays that `decompose` wrote. */
export const decomposeResultSchema = z.strictObject({
  origin: originSchema("model"),
  images: z.int().min(1),
  files: z.array(z.strictObject({ path: z.string(), shape: z.array(z.int()) })),
  sumError: z.number().min(0).describe("largest relative error of a sum of parts against its embedding"),
});
/** The arrays that a decomposition was written to. */
export type DecomposeResult = z.infer<typeof decomposeResultSchema>;

export const decomposeResult = resultBuilder(decomposeResultSchema);
