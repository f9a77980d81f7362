import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import {
  componentSetSchema,
  count,
  gridSchema,
  rectangleSchema,
  sizeSchema,
  truncatedShape,
  weightedHeadSchema,
} from "./shapes.ts";

const shares = z
  .array(z.number())
  .describe("what it and each part of the image add to the cosine, in the order of `image`");

const wordSchema = z.strictObject({
  text: z.string().describe("the word as the model reads it"),
  pieces: z.array(z.string()).describe("its tokens, as the vocabulary writes them"),
  shares,
  value: z.number().describe("sum of its shares: what the word adds to the cosine"),
  map: z
    .array(z.array(z.number()))
    .describe("what it adds at each patch: rows, top to bottom, left to right; they sum to its first share"),
});
/** What one word adds to the cosine, and where. */
export type WordPart = z.infer<typeof wordSchema>;

const restSchema = z.strictObject({
  text: z.string().describe("a part of the text that is no word: its start token, MLPs, embedding, …"),
  shares,
  value: z.number(),
});

const pairSchema = z.strictObject({
  text: z.string().describe("T3.H1: a head of the text tower"),
  image: z.string().describe("L3.H1: a head of the image tower"),
  value: z.number(),
});

/** "Which word looks where?": what `explain --words --json` prints and `POST /api/words` answers. */
export const wordsResultSchema = z.strictObject({
  origin: originSchema("model", "image"),
  text: z.string(),
  similarity: z.number().describe("cosine of image and text, computed from the embeddings themselves"),
  textComponents: z
    .strictObject({ set: z.string(), heads: z.array(weightedHeadSchema) })
    .describe("the heads of the text tower through which words are read"),
  components: componentSetSchema.describe("the heads of the image tower through which patches are read"),
  grid: gridSchema,
  original: sizeSchema.describe("in pixels; upright, unless --no-exif"),
  placement: rectangleSchema.describe("where the grid lies, in pixels of the original"),
  image: z.array(z.string()).describe("the parts of the image: patches, CLS token, MLPs, …"),
  words: z.array(wordSchema).describe("in the order of the text"),
  rest: z.array(restSchema).describe("the parts of the text that are no words"),
  wordsByPatches: z.number().describe("what words and patches add to the cosine"),
  remainder: z.number().describe("what has no word or no patch: every other share"),
  sum: z.number().describe("wordsByPatches + remainder"),
  error: z.number().min(0).describe("|sum - similarity|: the self-check"),
  textError: z
    .number()
    .min(0)
    .describe("largest entry of |sum of the text's parts - its embedding| over the largest of it"),
  imageError: z.number().min(0).describe("the same of the image"),
  pairs: z
    .array(pairSchema)
    .exactOptional()
    .describe("what every head of one tower and every head of the other add together, largest first by size"),
  token: z
    .strictObject({
      row: count,
      column: count,
      words: z
        .array(z.strictObject({ text: z.string(), value: z.number() }))
        .describe("largest first by size"),
    })
    .exactOptional()
    .describe("of a chosen patch: what each word adds there"),
  pairCount: count.describe("how many pairs of heads there are"),
  ...truncatedShape,
});
/** "Which word looks where?": the cosine as a sum over words and patches, and what is left. */
export type WordsResult = z.infer<typeof wordsResultSchema>;

export const wordsResult = resultBuilder(wordsResultSchema);
