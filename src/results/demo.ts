import { z } from "zod";

/** What `demo` prints: the corpus that is now there. */
export const demoResultSchema = z.strictObject({
  folder: z.string(),
  split: z.string(),
  images: z.int().min(1),
  size: z.int().min(1).describe("side of the pictures, in pixels"),
  key: z.string().describe("changes with anything that would change a byte of the corpus"),
  drawn: z.int().min(0).describe("pictures drawn now; 0 when all were there already"),
});
