import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";

/** What `demo` prints: the corpus that is now there. */
export const demoResultSchema = z.strictObject({
  origin: originSchema(),
  folder: z.string(),
  split: z.string(),
  images: z.int().min(1),
  size: z.int().min(1).describe("side of the pictures, in pixels"),
  key: z.string().describe("changes with anything that would change a byte of the corpus"),
  drawn: z.int().min(0).describe("pictures drawn now; 0 when all were there already"),
});
/** The corpus that is now there. */
export type DemoResult = z.infer<typeof demoResultSchema>;

export const demoResult = resultBuilder(demoResultSchema);
