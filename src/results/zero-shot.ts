import { z } from "zod";
import {
  bandSchema,
  forwardSchema,
  namedShareSchema,
  outcomeShape,
  replacementSchema,
  shareSchema,
  worstShareSchema,
} from "./accuracy.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, share } from "./shapes.ts";

const accuracySchema = z.strictObject({
  all: shareSchema,
  classes: z.array(namedShareSchema).describe("classes that images show"),
  groups: z.array(namedShareSchema).describe("class × value of the factors of --groups"),
  worst: worstShareSchema.nullable(),
});
/** How well images were classified. */
export type ZeroShotAccuracy = z.infer<typeof accuracySchema>;

const rowSchema = z.strictObject({
  kind: z.enum(["set", "all", "layer", "up-to", "kept"]),
  at: z
    .int()
    .nullable()
    .describe("the layer, for layer and up-to; how many of the last layers are kept, for kept"),
  components: componentSetSchema.describe("what is ablated: a set as it was written, or what it is"),
  ...outcomeShape,
  random: bandSchema
    .nullable()
    .describe("as many random heads beside the same MLPs; null where no others are left"),
});
/** Accuracy without some components. */
export type AblationRow = z.infer<typeof rowSchema>;

/** Accuracy with and without components: what `evaluate zero-shot --json` prints. */
export const zeroShotResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  factor: z.string(),
  classes: count,
  chance: share.describe("accuracy of guessing among the classes that each image is asked about"),
  images: count,
  leftOut: count.describe(
    "images of the index that show no class or have no group, or are beyond --max-images",
  ),
  replacement: replacementSchema,
  whole: accuracySchema,
  rows: z.array(rowSchema),
  forward: forwardSchema.nullable(),
});
/** Accuracy with and without components. */
export type ZeroShotResult = z.infer<typeof zeroShotResultSchema>;

export const zeroShotResult = resultBuilder(zeroShotResultSchema);
