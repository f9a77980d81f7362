import { z } from "zod";
import { LABELLER_KINDS } from "../labels/kinds.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { marginSchema } from "./selectivity.ts";
import { commonSchema, count, gridSchema, headSchema, headShape, share } from "./shapes.ts";

/*
 * The atlas: every head of a model at a glance, and a page for each. The overview and a page are made from the same
 * numbers, and hold nothing that another of their fields says.
 */

/** Sums of rounded shares may exceed 1 by rounding. */
const roundedShare = z.number().min(0).max(1.000001);
const curve = z.array(roundedShare);

/** What is known of a head as one number each: what heads are sorted, filtered and plotted by. */
export const ATLAS_METRICS = [
  "selectivity",
  "sign",
  "explained",
  "control",
  "p",
  "norm",
  "directEffect",
  "ablationEffect",
  "ccs",
] as const;
/** The name of a metric of the atlas. */
export type AtlasMetric = (typeof ATLAS_METRICS)[number];

const metricSchema = z.strictObject({
  key: z.enum(ATLAS_METRICS),
  name: z.string().describe("a few words, for a column or an axis"),
  words: z.string().describe("what it says, in a sentence"),
  unit: z
    .enum(["share", "signed-share", "signed", "length", "p", "count"])
    .describe(
      "how it is written: share and signed-share in per cent; signed from −1 to 1; length in units of the embedding's; p; count of five",
    ),
  why: z.string().nullable().describe("why no head has a value; null where some have"),
});
/** A metric in words. */
export type AtlasMetricWords = z.infer<typeof metricSchema>;

const metricsShape = Object.fromEntries(ATLAS_METRICS.map((key) => [key, z.number().nullable()])) as Record<
  AtlasMetric,
  z.ZodNullable<z.ZodNumber>
>;

const labelSchema = z.strictObject({
  label: z.string(),
  kind: z.enum(LABELLER_KINDS),
  by: z.string().describe("who gave it, in words"),
  date: z.string().nullable(),
  ccs: count.max(5).nullable().describe("how many of five descriptions fit it; null where nobody judged"),
});
/** What a head is called, and by whom. */
export type AtlasLabel = z.infer<typeof labelSchema>;

const factorSchema = z.strictObject({
  factor: z.string(),
  share: share.describe("ε²: share of the head's variance that the factor explains beyond chance"),
  beyondChance: z
    .boolean()
    .describe("whether that is more than chance explains, all heads and factors considered"),
  sign: z
    .union([z.literal(1), z.literal(-1)])
    .nullable()
    .describe(
      "1: the head writes towards the text of the value that it sees; −1: away from it; null: neither for certain, or unknown",
    ),
  margin: marginSchema.nullable().describe("what the sign is of; null without texts"),
});
/** What one factor explains of a head. */
export type AtlasFactor = z.infer<typeof factorSchema>;

const effectSchema = z.strictObject({
  factor: z.string(),
  classes: count,
  images: count,
  direct: z
    .number()
    .describe(
      "share of the true class's lead over the mean of the others that the head brings; all components sum to 1",
    ),
  whole: share.describe("zero-shot accuracy of the whole embedding"),
  without: share.describe("accuracy with the head's direct effect replaced by its mean over the images"),
  percentile: share.describe("share of the model's other heads that are missed less"),
});
/** What a head is worth to telling the values of a factor apart. */
export type AtlasEffect = z.infer<typeof effectSchema>;

/** An image that pages show. */
const pictureSchema = z.strictObject({
  row: count.describe("its place in the index"),
  path: z.string(),
  id: z.string(),
  label: z.string().nullable(),
  factors: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});
/** An image that pages show, with what is known of it. */
export type AtlasPicture = z.infer<typeof pictureSchema>;

const entrySchema = z.strictObject({
  ...headShape,
  label: labelSchema.nullable(),
  metrics: z.strictObject(metricsShape).describe("null where a head has no value"),
  strongest: factorSchema.nullable().describe("the factor that explains most; null where no factor is known"),
  texts: z
    .array(z.string())
    .describe("the first texts that TEXTSPAN chose; none where a model reads no texts"),
  groups: z
    .array(count)
    .describe("rows of images, one of each group of alike images, the largest group's first"),
});
/** A head at a glance. */
export type AtlasEntry = z.infer<typeof entrySchema>;

const origin = originSchema("model", "index", "pool", "labels");
const atlasOriginSchema = z
  .strictObject({
    ...origin.shape,
    pool: origin.shape.pool.exactOptional(),
    labels: origin.shape.labels.exactOptional(),
  })
  .describe("without a pool where the model reads no texts, without labels where none were given");

/** Every head at a glance: what `atlas --json` prints. */
export const atlasResultSchema = z.strictObject({
  origin: atlasOriginSchema,
  layers: count,
  headsPerLayer: count,
  images: count,
  steps: count.describe("texts whose explained variance the metrics are about"),
  rotations: count.describe("random rotations that p and control are of"),
  factors: z
    .array(z.strictObject({ name: z.string(), values: count, images: count }))
    .describe("what is known of the images"),
  metrics: z.array(metricSchema),
  heads: z.array(entrySchema).describe("layer by layer"),
  pictures: z.array(pictureSchema).describe("every image that `groups` names, in the order of the index"),
});
/** Every head of a model at a glance. */
export type AtlasResult = z.infer<typeof atlasResultSchema>;
export const atlasResult = resultBuilder(atlasResultSchema);

const shownSchema = z.strictObject({
  row: count,
  score: z.number().describe("what the head wrote along the direction, less the mean over images"),
  percentile: share.describe("share of the index's images with a lower score"),
  map: z
    .array(z.number())
    .nullable()
    .describe(
      "score of each patch, row by row, in the same units; with the CLS token's share and the mean they sum to the score. null where no map was made",
    ),
});
/** An image with what a head wrote into it along a direction. */
export type AtlasShown = z.infer<typeof shownSchema>;

const commonOf = (set: string) =>
  z
    .array(commonSchema)
    .describe(`values that are over-represented in ${set} beyond chance; none where none is`);

const directionSchema = z.strictObject({
  kind: z.enum(["text", "component"]).describe("a text that TEXTSPAN chose, or a principal direction"),
  name: z.string().describe("the text, or which principal direction"),
  property: z.string().nullable().describe("what the text speaks of, where its pool says so"),
  explained: roundedShare.describe("share of the head's variance that it explains beyond those before it"),
  histogram: z
    .strictObject({
      from: z.number(),
      to: z.number(),
      counts: z.array(count).describe("images in bins of equal width"),
    })
    .describe("scores of all images"),
  most: z.array(shownSchema).describe("images with the highest scores"),
  least: z.array(shownSchema).describe("images with the lowest scores, the lowest first"),
  deciles: z
    .array(z.strictObject({ from: z.number(), to: z.number(), images: z.array(shownSchema) }))
    .describe("images drawn at random from each tenth of the scores, the highest tenth first"),
  common: z.strictObject({
    least: commonOf("the tenth with the lowest scores"),
    most: commonOf("the tenth with the highest scores"),
  }),
});
/** A direction that a head writes along, and the images in their order along it. */
export type AtlasDirection = z.infer<typeof directionSchema>;

const groupSchema = z.strictObject({
  size: count,
  images: z.array(count).describe("rows of images: from its middle outwards"),
  common: commonOf("it"),
});
/** Images that a head sees alike. */
export type AtlasGroup = z.infer<typeof groupSchema>;

const nearestSchema = z.strictObject({
  ...headShape,
  label: z.string().nullable(),
  similarity: z.number().min(0).max(1.001).describe("linear CKA over the images"),
  chance: z.number().min(0).max(1.001).describe("its mean over all orders of one head's images"),
});
/** A head that tells the same images apart. */
export type AtlasNearest = z.infer<typeof nearestSchema>;

/** The page of one head: what `atlas --head L3.H1 --json` prints. */
export const atlasHeadResultSchema = z.strictObject({
  origin: atlasResultSchema.shape.origin,
  images: count,
  entry: entrySchema.describe("what the overview says of the head"),
  previous: headSchema.nullable(),
  next: headSchema.nullable(),
  texts: z
    .array(
      z.strictObject({
        index: count.describe("place in the pool"),
        text: z.string(),
        property: z.string().nullable(),
        explained: roundedShare.describe("share of the variance that it explains beyond those before it"),
      }),
    )
    .describe("what TEXTSPAN chose, in its order"),
  control: z
    .strictObject({
      rotations: count,
      mean: curve,
      low: curve,
      high: curve,
      gaussian: curve.describe("mean of the same choice among random directions"),
      ceiling: curve.describe("principal directions: the most that as many directions can explain"),
      p: z.array(share).describe("(1 + rotations that explain as much) / (1 + rotations)"),
    })
    .nullable()
    .describe(
      "what the same greedy choice explains after random rotations of the joint space, for the first 1, 2, … texts; null without texts",
    ),
  directions: z.array(directionSchema),
  groups: z
    .array(groupSchema)
    .describe("images parted by what the head wrote into them (k-means), the largest first"),
  grid: gridSchema.describe("patches of maps"),
  mapLimit: z.number().min(0).describe("what all maps of the page are coloured to: their 99th percentile"),
  look: z
    .strictObject({
      kind: z.enum(["attention", "contribution"]),
      words: z.string().describe("which mean it is"),
      images: count.describe("that it is a mean over"),
      values: z.array(z.number()).describe("of each patch, row by row"),
      cls: z.number().nullable().describe("of the CLS token; null where there is none"),
    })
    .nullable()
    .describe("where the head looks on average; null where no map was made"),
  factors: z.array(factorSchema).describe("strongest first"),
  effects: z.array(effectSchema).describe("of each factor whose values can be told apart by texts"),
  nearest: z
    .array(nearestSchema)
    .describe("heads of this model that tell the same images apart, nearest first"),
  elsewhere: z
    .array(
      z.strictObject({
        model: z.string(),
        index: z.string(),
        images: count.describe("shared"),
        heads: z.array(nearestSchema),
      }),
    )
    .describe("the same in other models, over images that both indexes hold"),
  pictures: z.array(
    z.strictObject({
      ...pictureSchema.shape,
      covered: z
        .strictObject({ x: share, y: share, width: share, height: share })
        .nullable()
        .describe("where maps lie on the upright image, in shares of its sides; null without a map"),
    }),
  ),
  withoutMaps: count.describe("images of the page for which no map was made"),
});
/** The page of one head. */
export type AtlasHeadResult = z.infer<typeof atlasHeadResultSchema>;
export const atlasHeadResult = resultBuilder(atlasHeadResultSchema);

/** Which heads know a text: what `atlas --knows "a red background" --json` prints. */
export const knowingHeadsSchema = z.strictObject({
  origin: originSchema("model", "index", "pool"),
  text: z.string(),
  heads: z
    .array(
      z.strictObject({
        ...headShape,
        label: labelSchema.nullable(),
        share: roundedShare.describe("of the head's variance over images that lies along the text"),
        percentile: share.describe("share of the pool's texts along which less of its variance lies"),
        agreement: z
          .number()
          .min(-1.001)
          .max(1.001)
          .nullable()
          .describe(
            "correlation over images of the head's score with what all other components write towards the text: below 0 it writes against them",
          ),
      }),
    )
    .describe("every head, those that know it best first"),
});
/** Which heads know a text. */
export type KnowingHeads = z.infer<typeof knowingHeadsSchema>;
export const knowingHeadsResult = resultBuilder(knowingHeadsSchema);

/* What the app exchanges about it. */

/** `GET /api/atlas`: the overview, or what it would take. */
export const atlasStateSchema = z.union([
  z.strictObject({ state: z.literal("ready"), atlas: atlasResultSchema }),
  z.strictObject({
    state: z.literal("absent"),
    needs: z
      .enum(["corpus", "atlas"])
      .describe("what is missing: an index of the corpus (job `prepare`), or the atlas (job `atlas`)"),
    seconds: z.number().min(0).nullable().describe("about what the job takes; null where it cannot be said"),
    images: count.nullable().describe("images that would be looked at again for maps"),
    job: z.string().nullable().describe("the job that makes it now"),
  }),
]);
/** The overview, or what it would take. */
export type AtlasState = z.infer<typeof atlasStateSchema>;

const asked = { model: z.string().min(1).max(200), corpus: z.string().min(1).max(60) };

/** `POST /api/atlas/find`. */
export const atlasFindRequestSchema = z.strictObject({
  ...asked,
  text: z
    .string()
    .max(1000)
    .refine((value) => value.trim() !== "", "the text is blank"),
});

/** `PUT /api/atlas/heads/{head}/label`: a label by hand; an empty one takes it away. */
export const atlasLabelRequestSchema = z.strictObject({
  model: asked.model,
  label: z.string().trim().max(80),
  by: z.string().trim().max(80).default("").describe("who says so"),
});

/** `GET /api/labels`: what a model's heads are called, whether or not there is an atlas. */
export const headLabelsSchema = z.strictObject({
  heads: z.array(z.strictObject({ ...headShape, label: labelSchema })).describe("those that have a label"),
});

/** What a model's heads are called. */
export type HeadLabels = z.infer<typeof headLabelsSchema>;

/** The answer: what the head is called now. */
export const atlasLabelSchema = z.strictObject({ head: headSchema, label: labelSchema.nullable() });
