import { z } from "zod";
import {
  bandSchema,
  forwardSchema,
  namedShareSchema,
  replacementSchema,
  shareSchema,
  worstShareSchema,
} from "./accuracy.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headSchema, headShape } from "./shapes.ts";

/** How heads are put in order. */
export const SELECTIONS = ["selectivity", "texts", "gap", "greedy"] as const;

const robustnessSchema = z.strictObject({ average: shareSchema, worst: worstShareSchema });
/** Average and worst-group accuracy. */
export type Robustness = z.infer<typeof robustnessSchema>;
const halvesSchema = z.strictObject({ validation: robustnessSchema, test: robustnessSchema });
/** Robustness on both halves of the images. */
export type Halves = z.infer<typeof halvesSchema>;
const randomSchema = z.strictObject({ average: bandSchema, worst: bandSchema });
/** Images without heads drawn at random. */
export type RandomHeads = z.infer<typeof randomSchema>;

const gapSchema = z
  .strictObject({
    heads: z.array(z.strictObject({ ...headShape, value: z.number() })).describe("layer by layer"),
    mlps: z.number().describe("all MLP terms together"),
    whole: z.number(),
  })
  .describe(
    "what each component adds to the margin of classes where the cue is on their side; sums to the whole",
  );
/** What each component adds to the advantage that a class has where the cue is on its side. */
export type CueGap = z.infer<typeof gapSchema>;

const selectionSchema = z.strictObject({
  selection: z.enum(["given", ...SELECTIONS]),
  order: z
    .array(z.strictObject({ ...headShape, value: z.number() }))
    .describe("heads, with what put them in their place"),
  steps: z
    .array(z.strictObject({ heads: z.array(headSchema), ...halvesSchema.shape }))
    .describe("without the first head, the first two, …"),
  chosen: z
    .array(headSchema)
    .describe(
      "heads of the step of highest worst-group accuracy on validation images; none where no step helps",
    ),
  outcome: halvesSchema,
  controls: z.array(z.strictObject({ from: z.enum(["same layers", "all layers"]), ...randomSchema.shape })),
});
/** One way of choosing heads, and what comes of it. */
export type DebiasSelection = z.infer<typeof selectionSchema>;
export type SelectionName = DebiasSelection["selection"];

/** What takes a cue out without knowing of heads, and a classifier that is trained on the same images. */
export const BASELINES = ["text projection", "mean difference", "LEACE", "linear probe"] as const;
export type BaselineName = (typeof BASELINES)[number];

const baselineSchema = z.strictObject({
  baseline: z.enum(BASELINES),
  directions: count.describe("of the embedding, that are taken out; none by a probe"),
  outcome: halvesSchema,
  lead: z
    .strictObject({ mean: z.number(), low: z.number(), high: z.number() })
    .describe(
      "average accuracy of the heads that were used less that of this way, on the same held-out images, with a 95 % interval",
    ),
});
/** Another way of removing the cue, on the same images and halves. */
export type DebiasBaseline = z.infer<typeof baselineSchema>;

const groupSchema = z.strictObject({
  name: z.string(),
  before: namedShareSchema,
  after: namedShareSchema,
  random: bandSchema
    .nullable()
    .describe("without random heads of the same layers, or of all layers where those are few"),
});
/** A group of held-out images before and after. */
export type GroupChange = z.infer<typeof groupSchema>;

/** A cue that was removed: what `debias --json` prints. */
export const debiasResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  cue: z.string(),
  factor: z.string(),
  replacement: replacementSchema,
  images: z.strictObject({ validation: count, test: count, leftOut: count }),
  before: halvesSchema,
  gap: gapSchema,
  selections: z.array(selectionSchema),
  used: count.describe("position among the selections"),
  baselines: z
    .array(baselineSchema)
    .describe(
      "ways that know of no heads: erasers of the embedding, and a linear probe of the classes on it",
    ),
  groups: z.array(groupSchema).describe("by the selection that was used, on held-out images"),
  randomSteps: z
    .array(randomSchema.nullable())
    .describe("held-out images without one head drawn at random from all, two, …"),
  forward: z.array(forwardSchema),
  exported: z.array(z.string()),
});
/** A cue that was removed, and what came of it. */
export type DebiasResult = z.infer<typeof debiasResultSchema>;

export const debiasResult = resultBuilder(debiasResultSchema);
