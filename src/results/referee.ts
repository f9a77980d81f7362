import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape, intervalSchema, share } from "./shapes.ts";

/** What a method looks at. */
export const READS = ["weights", "images", "texts", "factors", "a language model", "a file"] as const;
export type Reads = (typeof READS)[number];

/** What the numbers say of a method. */
export const REFEREE_VERDICTS = [
  "beats one label for all",
  "beats it over these heads only",
  "beats chance only",
  "not told from chance",
] as const;
export type RefereeVerdict = (typeof REFEREE_VERDICTS)[number];

const settingsSchema = z.strictObject({
  heads: z.string().describe("which heads, as they were written"),
  halvings: count.describe("times that images, and texts, are dealt into halves"),
  permutations: count.describe("times that labels are dealt out again"),
  seed: count,
});
/** How methods were judged; with the inputs' hashes this fixes every number. */
export type RefereeSettings = z.infer<typeof settingsSchema>;

const truthHeadSchema = z.strictObject({
  ...headShape,
  best: z.string().describe("the factor with the highest ε²"),
  shares: z.array(share).describe("ε² of every factor of the model"),
  drops: z
    .array(z.number())
    .describe(
      "how much of the accuracy on every factor is lost without the head; mean-ablation of what it writes",
    ),
});

const modelSchema = z.strictObject({
  origin: originSchema("model", "index", "pool"),
  factors: z.array(z.string()).describe("that the pool has texts about"),
  accuracies: z.array(share).describe("zero-shot, of the whole embedding on every factor"),
  heads: z.array(truthHeadSchema),
});
/** A model whose heads were labelled, with what is true of them. */
export type RefereeModel = z.infer<typeof modelSchema>;

const claimSchema = z.strictObject({
  ...headShape,
  model: z.string(),
  label: z.string().nullable().describe("null where the method names nothing"),
  right: z.boolean(),
  scores: z
    .array(z.number())
    .describe("of every property, in the order of `properties`; empty where there are none"),
});

const p = share.nullable().describe("null where it cannot be tested");
const accuracySchema = z.strictObject({
  heads: count,
  right: count,
  share,
  captured: z.number().describe("Σ ε² of the labels' factors / Σ highest ε²"),
  constant: z.number().describe("share of the same heads that the constant label is right of"),
  constantP: p.describe("one-sided sign test over the heads of which only one of the two is right"),
  permuted: intervalSchema.nullable().describe("labels dealt out again among the heads of a model"),
  permutedP: p,
  layered: intervalSchema.nullable().describe("labels dealt out again among the heads of a layer"),
  layeredP: p,
  trainings: intervalSchema
    .nullable()
    .describe("95 % of Student’s t about the models' mean; null of one model"),
  gain: intervalSchema.nullable().describe("the same of the difference to the constant label"),
  gainP: p.describe("two-sided, Student’s t over the models, their scatter taken as no less than one head"),
  byModel: z.array(
    z.strictObject({ model: z.string(), heads: count, right: count, constant: count, layered: z.number() }),
  ),
});
/** How often labels are right, and what that stands beside. */
export type RefereeAccuracy = z.infer<typeof accuracySchema>;

const causalSchema = z.strictObject({
  heads: count.describe("with a label that is a factor"),
  own: z.number().describe("accuracy lost on the labelled factor without the head, mean over heads"),
  others: z.number().describe("lost on the other factors, mean"),
  peers: z.number().describe("lost on the labelled factor without another head of the same layer, mean"),
  byChance: intervalSchema.nullable().describe("`own` of labels that are dealt out again within layers"),
  p,
  pHolm: p,
  more: count.describe("heads whose own factor suffers more than the others on average"),
  less: count,
});
/** Whether the model loses what a head is said to do when the head is taken out. */
export type RefereeCausal = z.infer<typeof causalSchema>;

const matchedSchema = z.strictObject({
  pairs: count.describe(
    "of heads of two trainings that respond most alike, each the other's best (linear CKA)",
  ),
  same: count.describe("pairs with the same label"),
  byChance: intervalSchema
    .nullable()
    .describe("of the share, labels of one side dealt out again within layers"),
  p,
});
/** Whether heads of other trainings that respond alike get the same label. */
export type RefereeMatched = z.infer<typeof matchedSchema>;

const methodSchema = z.strictObject({
  key: z.string(),
  name: z.string(),
  paper: z.string(),
  reads: z.array(z.enum(READS)),
  bound: z.enum(["upper", "lower"]).nullable(),
  notRun: z.string().nullable().describe("why; null where it ran"),
  accuracy: accuracySchema.nullable(),
  layeredPHolm: p.describe("corrected over the methods that are no bounds"),
  constantPHolm: p,
  gainPHolm: p,
  verdict: z.enum(REFEREE_VERDICTS).nullable().describe("null of a bound, and of what did not run"),
  behind: z
    .strictObject({ ahead: count, back: count, p: share })
    .nullable()
    .describe(
      "the leader beside it: heads of which only the leader, or only it, is right; two-sided sign test, Holm",
    ),
  images: intervalSchema
    .nullable()
    .describe("share right: labels by one half of the images, truth by the other"),
  texts: intervalSchema.nullable().describe("share right: labels by half of the texts"),
  sameByImages: share.nullable().describe("share of labels that half of the images give too"),
  sameByTexts: share.nullable().describe("share of labels that half of the texts give too"),
  causal: causalSchema.nullable(),
  matched: matchedSchema.nullable(),
  claims: z.array(claimSchema),
});
/** A method, judged. */
export type RefereeMethod = z.infer<typeof methodSchema>;

/** `referee.json`, and what `referee --json` prints. */
export const refereeResultSchema = z.strictObject({
  origin: originSchema(),
  code: z.string().describe("SHA-256 of the modules that compute"),
  settings: settingsSchema,
  properties: z.array(z.string()).describe("what a head may be said to look for"),
  constant: z
    .strictObject({ label: z.string(), right: count, heads: count })
    .describe("the factor that most heads respond to: what always saying it gives"),
  models: z.array(modelSchema),
  methods: z.array(methodSchema).describe("most heads right first; bounds and what did not run last"),
});
/** Ways to say what heads do, judged by known truth. */
export type RefereeResult = z.infer<typeof refereeResultSchema>;
export const refereeResult = resultBuilder(refereeResultSchema);
