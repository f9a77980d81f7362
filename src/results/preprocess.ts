import { z } from "zod";

/** What `preprocess --json` prints. */
export const preprocessResultSchema = z.strictObject({
  image: z.string(),
  out: z.string(),
  size: z.int().min(1).describe("side of the written square, in pixels"),
  original: z.strictObject({ width: z.int().min(1), height: z.int().min(1) }),
  placement: z
    .strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
    .describe("the part of the upright original that the square shows, in its pixels"),
});
