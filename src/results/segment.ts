import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import {
  componentSetSchema,
  count,
  gridSchema,
  headShape,
  rectangleSchema,
  sizeSchema,
  truncatedShape,
} from "./shapes.ts";

/** `topic`: each text alone. `contrast`: each against the mean of the others. */
export const SEGMENTATION_MODES = ["topic", "contrast"] as const;
export type SegmentationMode = (typeof SEGMENTATION_MODES)[number];

/** `common`: a colour means the same number in every text's map. `own`: every map reaches full colour. */
export const SEGMENTATION_SCALES = ["common", "own"] as const;
export type SegmentationScale = (typeof SEGMENTATION_SCALES)[number];

const patches = z.array(z.array(z.number())).describe("rows of patches, top to bottom, left to right");

const segmentedTextSchema = z.strictObject({
  text: z.string(),
  similarity: z.number().describe("cosine of image and text; of a contrast, minus the mean of the others'"),
  values: patches.describe("what the heads wrote at each patch towards the text: shares of the score"),
  own: patches.optional().describe("in a contrast: the map of the text alone, by which winners are chosen"),
  patches: z.number().describe("sum of the values"),
  cls: z
    .number()
    .nullable()
    .describe("share of the CLS token, which is no part of the map; null where the model has none"),
  sum: z.number().describe("patches + cls"),
  score: z.number().describe("the heads' score, computed from their outputs and not from tokens"),
  error: z.number().min(0).describe("|sum - score|: the self-check"),
  token: z
    .strictObject({
      row: count,
      column: count,
      value: z.number(),
      heads: z
        .array(z.strictObject({ ...headShape, value: z.number() }))
        .describe("largest first by size; they sum to the value"),
    })
    .optional()
    .describe("of a chosen patch: what each head wrote there"),
});
/** Where some heads find one text. */
export type SegmentedText = z.infer<typeof segmentedTextSchema>;

const winnersSchema = z.strictObject({
  text: z.array(z.array(count)).describe("index of the text whose own map is highest"),
  margin: patches.describe("by how much it is above the next"),
  counts: z.array(count).describe("patches that each text wins"),
});
/** Which of several texts leads where. */
export type SegmentationWinners = z.infer<typeof winnersSchema>;

const baselineSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  paper: z.string(),
  text: z.string().nullable().describe("null where the method does not read the text"),
  values: patches,
});
/** What another method makes of the image. */
export type SegmentationBaseline = z.infer<typeof baselineSchema>;

/** "Where?": what `segment --json` prints and `POST /api/segment` answers. Its picture can be drawn from it alone. */
export const segmentResultSchema = z.strictObject({
  origin: originSchema("model", "image"),
  components: componentSetSchema.describe("the heads that were read"),
  mode: z.enum(SEGMENTATION_MODES),
  scale: z.enum(SEGMENTATION_SCALES).describe("of the colours: one for all maps, or each map's own"),
  grid: gridSchema,
  original: sizeSchema.describe("in pixels; upright, unless --no-exif"),
  placement: rectangleSchema.describe("where the grid lies, in pixels of the original"),
  texts: z.array(segmentedTextSchema),
  ...truncatedShape,
  winners: winnersSchema.optional().describe("of two or more texts"),
  baselines: z.array(baselineSchema).optional().describe("with --baselines"),
});
/** "Where?": where in an image some heads find each text. */
export type SegmentResult = z.infer<typeof segmentResultSchema>;

export const segmentResult = resultBuilder(segmentResultSchema);
