import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";

/** The texts that `tokenize --texts` reads. */
export const textListSchema = z.array(z.string());

/** What `tokenize` prints: ids from start token to end token, per text. */
export const tokenizeResultSchema = z.strictObject({
  origin: originSchema(),
  tokenizer: z.strictObject({
    model: z.string().describe("the model that it belongs to"),
    sha256: z.string().describe("of its vocabulary, merges and added tokens"),
  }),
  ids: z.array(z.array(z.int().min(0))),
});

export const tokenizeResult = resultBuilder(tokenizeResultSchema);
