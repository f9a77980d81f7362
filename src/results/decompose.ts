import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, truncatedShape } from "./shapes.ts";

const files = z.array(z.strictObject({ path: z.string(), shape: z.array(z.int()) }));

/** The arrays that `decompose` wrote. */
export const decomposeResultSchema = z.strictObject({
  origin: originSchema("model"),
  images: z.int().min(1),
  files,
  sumError: z.number().min(0).describe("largest relative error of a sum of parts against its embedding"),
});
/** The arrays that a decomposition was written to. */
export type DecomposeResult = z.infer<typeof decomposeResultSchema>;

export const decomposeResult = resultBuilder(decomposeResultSchema);

const textWordSchema = z.strictObject({
  kind: z.enum(["word", "start", "end", "padding", "class"]),
  text: z.string().describe("as the model reads it"),
  tokens: z.array(count).describe("places of its tokens along the arrays' axis of tokens"),
  pieces: z.array(z.string()).describe("its tokens, as the vocabulary writes them"),
});

/** The arrays that `decompose --text` wrote. */
export const decomposeTextsResultSchema = z.strictObject({
  origin: originSchema("model"),
  texts: z
    .array(z.strictObject({ text: z.string(), words: z.array(textWordSchema) }))
    .min(1)
    .describe("each text with its words and the tokens around them"),
  files,
  sumError: z.number().min(0).describe("largest relative error of a sum of parts against its embedding"),
  ...truncatedShape,
});
/** The arrays that texts' decompositions were written to. */
export type DecomposeTextsResult = z.infer<typeof decomposeTextsResultSchema>;

export const decomposeTextsResult = resultBuilder(decomposeTextsResultSchema);
