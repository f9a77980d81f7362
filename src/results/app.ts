import { z } from "zod";
import { replacementSchema } from "./accuracy.ts";
import { averageScoreSchema, scoreWithoutSchema } from "./explain.ts";
import { originSchema } from "./origin.ts";
import { retrievalResultSchema } from "./retrieval.ts";
import { SCORINGS } from "./scoring.ts";
import { SEGMENTATION_MODES, SEGMENTATION_SCALES } from "./segment.ts";
import { selectivityResultSchema } from "./selectivity.ts";
import {
  componentSetSchema,
  gridSchema,
  rectangleSchema,
  share,
  sizeSchema,
  truncatedShape,
  weightedHeadSchema,
} from "./shapes.ts";

/*
 * What the web app and the HTTP API exchange beyond the results of commands, which go over the wire as they are.
 */

const count = z.int().min(0);
const size = z.int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** An image by name: `upload:<SHA-256 of the file>`, or `<corpus>:<id>`. */
export const imageRefSchema = z
  .string()
  .regex(/^(upload:[0-9a-f]{64}|[a-z0-9][a-z0-9-]{0,40}:[0-9a-f]{16})$/, "an image is upload:… or corpus:…")
  .describe("`upload:` and the SHA-256 of the file, or a corpus and an image's id in it");

/** Most texts in one request, and the longest. */
export const MOST_TEXTS = 16;
const text = z
  .string()
  .max(1000)
  .refine((value) => value.trim() !== "", "a text is blank");
const texts = z.array(text).min(1).max(MOST_TEXTS);
const heads = z
  .string()
  .min(1)
  .max(4000)
  .describe("a component set: L3.H1, L2-L3, last4, all, a property's name");
const model = z.string().min(1).max(200);

/** Every failed request. */
export const problemSchema = z.strictObject({
  error: z.strictObject({
    code: z.string().describe("stable; docs/errors.md lists them"),
    message: z.string(),
    hint: z.string(),
  }),
});

/** `GET /api/app`: what the page needs to start. */
export const appSchema = z.strictObject({
  version: z.string(),
  defaultModel: z.string(),
  defaultCorpus: z
    .string()
    .describe("what is searched before anything is chosen: what was made the default, or the demo"),
  limits: z.strictObject({ uploadBytes: size, pixels: size, texts: size }),
  example: z
    .strictObject({ image: imageRefSchema, texts: z.array(z.string()) })
    .describe("what to show before anything is chosen"),
  reports: z
    .array(z.strictObject({ id: z.string(), title: z.string() }))
    .describe(
      "pages that commands wrote, which it was started with, and comparisons that were asked for here: `GET /api/reports/{id}`",
    ),
  starts: z.array(imageRefSchema).describe("pictures to start from, of the default corpus"),
});

/** `GET /api/model`: a loaded model. */
export const modelDetailSchema = z.strictObject({
  name: z.string(),
  embedded: z.boolean(),
  precision: z.string(),
  device: z.string(),
  weights: sha256,
  layers: size,
  heads: size,
  headDim: size,
  grid: gridSchema,
  imageSize: size,
  notice: z.string().nullable().describe("what must be known before its results are read"),
});

/** `GET /api/corpora`: the image collections of this server. */
export const corporaSchema = z.strictObject({
  corpora: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      images: count.nullable().describe("null before it is made"),
      made: z.boolean(),
      indexed: z.boolean().describe("whether all of it can be searched with the model asked for"),
      searchable: count.describe(
        "images that can be searched with it now: more and more while it is indexed",
      ),
      version: z.string().nullable().describe("changes with what can be searched; null where nothing can"),
      own: z.boolean().describe("whether it was added here, and can be removed again"),
      job: z.string().nullable().describe("the job that makes or indexes it now"),
    }),
  ),
});

/** `GET /api/roots`: folders below which pictures may be chosen. Names only, and never where they lie. */
export const rootsSchema = z.strictObject({
  roots: z.array(z.string()),
  folder: z
    .strictObject({
      root: z.string(),
      path: z.string().describe("from the root, with slashes; empty for the root itself"),
      folders: z.array(z.string()),
      pictures: count.describe("files in it that are named as pictures; folders in it are not counted"),
      more: z.boolean().describe("whether there is more in it than is told"),
    })
    .nullable()
    .describe("what was asked for"),
});

/** `POST /api/corpora`: add a folder, and index it with a model. */
export const addCorpusRequestSchema = z.strictObject({
  root: z.string().min(1).max(255),
  path: z.string().max(4000),
  model,
});

const factorValue = z.union([z.string(), z.number(), z.null()]);

/** One image of a corpus. */
export const corpusImageSchema = z.strictObject({
  image: imageRefSchema,
  path: z.string(),
  label: z.string().nullable(),
  factors: z.record(z.string(), factorValue),
});

/** `GET /api/corpora/{corpus}/images`. */
export const corpusImagesSchema = z.strictObject({ total: count, images: z.array(corpusImageSchema) });

/** `POST /api/images`, `GET /api/images/{image}`. */
export const imageSchema = z.strictObject({
  image: imageRefSchema,
  sha256,
  bytes: size,
  width: size,
  height: size,
  path: z.string().nullable(),
  label: z.string().nullable(),
  factors: z.record(z.string(), factorValue),
});

/** `POST /api/explain`; the answer is that of `explain --json`. */
export const explainRequestSchema = z.strictObject({ model, image: imageRefSchema, texts });

/** `POST /api/verify` of a page without a server; the answer is `tabCheckResult`. */
export const verifyRequestSchema = z.strictObject({ model });

/** `POST /api/device` of a page without a server: where image towers are computed from now on. */
export const deviceRequestSchema = z.strictObject({ device: z.enum(["cpu", "webgpu"]) });

/** `POST /api/tokens`: what every head wrote at every token, towards one text or against others. */
export const tokensRequestSchema = z.strictObject({
  model,
  image: imageRefSchema,
  text,
  against: z.array(text).max(MOST_TEXTS).default([]).describe("texts whose mean is taken off: a contrast"),
});

/** The answer: everything a map needs, for any choice of heads. */
export const tokensSchema = z.strictObject({
  origin: originSchema("model", "image"),
  text: z.string(),
  against: z.array(z.string()),
  ...truncatedShape,
  layers: size,
  heads: size,
  grid: gridSchema,
  original: sizeSchema,
  placement: rectangleSchema.describe("where the grid lies, in pixels of the upright original"),
  values: z
    .string()
    .describe(
      "float32, little-endian, base64: [layers, heads, tokens], the CLS token first where the model has one, then patches by row",
    ),
});

/** `POST /api/segment`; the answer is that of `segment --json`. */
export const segmentRequestSchema = z.strictObject({
  model,
  image: imageRefSchema,
  texts,
  heads,
  mode: z.enum(SEGMENTATION_MODES),
  scale: z.enum(SEGMENTATION_SCALES).default("common"),
  corpus: z.string().default("demo").describe("whose factors give names to heads"),
});

/** `POST /api/words`; the answer is that of `explain --words --json`. */
export const wordsRequestSchema = z.strictObject({
  model,
  image: imageRefSchema,
  text,
  heads: heads.default("all").describe("image heads that patches are read through"),
  textHeads: heads.default("all").describe("text heads that words are read through: T3.H1, T2-T3"),
  corpus: z.string().default("demo").describe("whose factors give names to image heads"),
  pairs: z
    .int()
    .min(0)
    .max(400)
    .default(0)
    .describe("pairs of a text head and an image head that are listed"),
});

/** `POST /api/from-weights`; the answer is that of `textspan --from-weights --json`. */
export const fromWeightsRequestSchema = z.strictObject({
  model,
  heads: heads.default("all").describe("heads to describe: L3.H1, L2-L3, a property"),
  corpus: z
    .string()
    .optional()
    .describe("orders directions by the variance that its images give them; without, by singular value"),
  directions: z.int().min(1).max(64).default(8).describe("directions a head that are described"),
  texts: z.int().min(1).max(50).default(5).describe("texts an end of a direction, at most"),
  coherence: z.number().min(0).max(10).default(0.3).describe("what likeness among the texts is worth"),
  draws: z.int().min(0).max(1000).default(100).describe("random directions to compare with"),
  seed: z.int().min(0).default(0),
});

/** `POST /api/fine-tune`; the answer is that of `compare --base --json`. */
export const fineTuneRequestSchema = z.strictObject({
  model: model.describe("the fine-tune"),
  base: model.describe("the model that it was fine-tuned from"),
  heads: heads.default("all").describe("heads to compare: L3.H1, L2-L3, …"),
  directions: z
    .int()
    .min(0)
    .max(64)
    .default(2)
    .describe("directions of a change that are described in texts"),
});

/** `POST /api/means`: how a corpus's average picture scores, head by head. */
export const meansRequestSchema = z.strictObject({ model, corpus: z.string(), texts });

/** The answer: what is taken off a picture to see what is its own. */
export const meansSchema = z.strictObject({
  origin: originSchema("model", "index"),
  texts: z.array(averageScoreSchema),
  ...truncatedShape,
});

/** `POST /api/without`: scores without the direct effects of some heads. */
export const withoutRequestSchema = z.strictObject({
  model,
  image: imageRefSchema,
  texts,
  heads,
  replacement: replacementSchema.default("mean"),
  corpus: z
    .string()
    .default("demo")
    .describe("whose means take the heads' place, and whose factors name heads"),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31)
    .default(0)
    .describe("chooses the random heads"),
});

/** The answer. */
export const withoutSchema = z.strictObject({
  origin: originSchema("model", "image"),
  components: componentSetSchema,
  replacement: replacementSchema,
  over: z
    .strictObject({ corpus: z.string(), images: count })
    .nullable()
    .describe("what means were taken over; null where nothing takes the heads' place"),
  texts: z.array(scoreWithoutSchema),
  ...truncatedShape,
});

/** `POST /api/neighbors`; the answer is that of `neighbors --json`. */
export const neighborsRequestSchema = z.strictObject({
  model,
  corpus: z.string(),
  query: z.union([z.strictObject({ image: imageRefSchema }), z.strictObject({ text })]),
  heads,
  k: z.int().min(1).max(64).default(8),
  scoring: z
    .enum(SCORINGS)
    .exactOptional()
    .describe("by default `centred` for an image and `dot` for a text"),
  includeSelf: z.boolean().default(false),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31)
    .default(0),
});

/** `GET /api/insights`: what is known of each head from the known factors of a corpus. */
export const insightsSchema = z.strictObject({
  selectivity: selectivityResultSchema,
  retrieval: retrievalResultSchema.describe("through one head a factor, and through its three best"),
});

/** `GET /api/properties`: names of sets of heads, those first through which the nearest images share the property most clearly. */
export const propertiesSchema = z.strictObject({
  properties: z.array(
    z.strictObject({
      name: z.string(),
      source: z
        .enum(["label", "factor"])
        .describe("a published or given label, or a factor that the heads follow"),
      heads: z
        .array(weightedHeadSchema)
        .describe("weight −1 where a head writes away from what it sees; most selective first"),
      precision: z
        .strictObject({ k: size, mean: share, low: share, high: share, chance: share })
        .nullable()
        .describe(
          "of the k images nearest through these heads, the share with the query's value of the factor, measured on images that the heads were not chosen on; null for a label",
        ),
    }),
  ),
});

/** Two models to compare: by what their heads respond to in a corpus, or by what fine-tuning made of the other's weights. */
export const comparisonShape = {
  model,
  other: model.describe("the other model; the base, by weights"),
  by: z.enum(["responses", "weights"]).default("responses"),
  corpus: z.string().max(60).describe("over whose images, by responses"),
};
const comparisonSchema = z.strictObject(comparisonShape);
export type ComparisonAsked = z.infer<typeof comparisonSchema>;

/** One background job. */
export const jobSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(["prepare", "atlas", "compare", "pull"]),
  title: z.string(),
  subject: z.string().describe("the corpus or model it is about"),
  model: z.string(),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  task: z.string().nullable().describe("what it is at"),
  unit: z.string().nullable(),
  done: z.number().min(0),
  total: z.number().min(0).nullable(),
  secondsLeft: z
    .number()
    .min(0)
    .nullable()
    .describe("of what it is at, at the pace of the last half minute; null where nothing can be said yet"),
  warnings: z.array(z.string()),
  error: problemSchema.shape.error.nullable(),
  started: z.string(),
  ended: z.string().nullable(),
});

/** `GET /api/jobs`: newest first. */
export const jobsSchema = z.strictObject({ jobs: z.array(jobSchema) });

/** `POST /api/jobs`: start one, or join the one under way. */
export const jobRequestSchema = z.union([
  z.strictObject({ kind: z.literal("prepare"), corpus: z.string(), model }),
  z.strictObject({ kind: z.literal("atlas"), corpus: z.string(), model }),
  z.strictObject({ kind: z.literal("compare"), ...comparisonShape }),
  z.strictObject({ kind: z.literal("pull"), model }),
]);

/** `GET /api/comparison`: the report of it, or what it would take. */
export const comparisonStateSchema = z.union([
  z.strictObject({ state: z.literal("ready"), report: z.string().describe("`GET /api/reports/{report}`") }),
  z.strictObject({
    state: z.literal("absent"),
    images: count
      .nullable()
      .describe(
        "that a model has to look at first, both models together; null where it goes by weights alone",
      ),
    seconds: z.number().min(0).nullable().describe("about what the job takes; null while it runs"),
    job: z.string().nullable().describe("the job that makes it now"),
  }),
]);
/** The report of a comparison, or what it would take. */
export type ComparisonState = z.infer<typeof comparisonStateSchema>;

/** The answer to `POST /api/corpora`: what it is called from now on, and the job that indexes it. */
export const addedCorpusSchema = z.strictObject({ corpus: z.string(), job: jobSchema });

/** The answer to what changes the list of corpora. */
export const changedCorporaSchema = z.strictObject({ corpora: z.array(z.string()), default: z.string() });

/** A background job as clients see it. */
export type JobView = z.infer<typeof jobSchema>;

/* What clients send and get, as types. */
export type App = z.infer<typeof appSchema>;
export type ModelDetail = z.infer<typeof modelDetailSchema>;
export type Corpora = z.infer<typeof corporaSchema>;
export type AddedCorpus = z.infer<typeof addedCorpusSchema>;
export type ChangedCorpora = z.infer<typeof changedCorporaSchema>;
export type Roots = z.infer<typeof rootsSchema>;
export type CorpusImages = z.infer<typeof corpusImagesSchema>;
export type CorpusImage = z.infer<typeof corpusImageSchema>;
export type ImageInfo = z.infer<typeof imageSchema>;
export type Tokens = z.infer<typeof tokensSchema>;
export type Means = z.infer<typeof meansSchema>;
export type WithoutHeads = z.infer<typeof withoutSchema>;
export type Insights = z.infer<typeof insightsSchema>;
export type Properties = z.infer<typeof propertiesSchema>;
export type Problem = z.infer<typeof problemSchema>["error"];
