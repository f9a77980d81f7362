import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { componentSetSchema, count, share } from "./shapes.ts";

/** What a map is measured by; of `deletion` less is better. */
export const FAITHFULNESS = ["pointing", "energy", "insertion", "deletion"] as const;
/** One of the measures. */
export type FaithfulnessMeasure = (typeof FAITHFULNESS)[number];

const measuredSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
const measuresSchema = z.strictObject({
  pointing: measuredSchema.describe("share of maps whose highest pixel lies in the mask"),
  energy: measuredSchema.describe("share of a map's positive values that lies in the mask"),
  insertion: measuredSchema.describe("area under the class's probability as patches come, highest first"),
  deletion: measuredSchema.describe("the same as patches go, highest first: less is better"),
});
const methodSchema = z.strictObject({
  name: z.string(),
  paper: z.string().nullable().describe("of a method that is not this project's"),
  components: componentSetSchema.nullable().describe("what it read; null of a method that reads no set"),
  readsClass: z.boolean().describe("false where the map is the same for every class"),
  measures: measuresSchema,
  difference: measuresSchema.describe("minus the first method, on the same images"),
  sanity: z
    .array(measuredSchema)
    .nullable()
    .describe(
      "rank correlation of its maps with those of the network whose layers are shuffled, for each of `shuffled`; null where that was not asked",
    ),
});
/** What one method reached. */
export type FaithfulMethod = z.infer<typeof methodSchema>;

/** How true maps are to the network and to the masks: what `evaluate maps --json` prints. */
export const faithfulnessSchema = z.strictObject({
  origin: originSchema("model"),
  source: z.string().describe("where the images come from"),
  foreign: z
    .boolean()
    .describe("images that are not of the model's world: they test the measurement, not the model"),
  images: count.describe("that were evaluated"),
  maps: count.describe("pairs of image and class"),
  classes: count.describe("classes among which a class's probability is taken"),
  foreground: share.describe(
    "mean share of labelled pixels that is foreground: what pointing anywhere reaches",
  ),
  steps: count.describe("steps in which patches come and go"),
  probability: z
    .strictObject({ whole: share, empty: share })
    .describe("mean of the class, with all patches and with none"),
  draws: count.describe("bootstrap resamples of the images behind the 95 % intervals"),
  seed: count,
  leftOut: count.describe("classes in an image that fill less than `leastShare` of it"),
  leastShare: share,
  shuffled: z.array(z.string()).describe("layers whose weights were shuffled, from the last down"),
  sanityImages: count.describe("images behind `sanity`"),
  methods: z.array(methodSchema),
  rejected: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
  unmatched: z.array(z.string()).describe("images without a mask, masks without an image"),
});
/** How true maps are to the network and to the masks. */
export type Faithfulness = z.infer<typeof faithfulnessSchema>;

export const faithfulness = resultBuilder(faithfulnessSchema);
