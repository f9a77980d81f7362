import { z } from "zod";

/** The texts that `tokenize --texts` reads. */
export const textListSchema = z.array(z.string());

/** What `tokenize` prints: ids from start token to end token, per text. */
export const tokenizeResultSchema = z.strictObject({ ids: z.array(z.array(z.int().min(0))) });
