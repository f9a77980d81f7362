import { z } from "zod";
import { headLabelShape, judgeShape, makerShape } from "../labels/labels-file.ts";
import { agreementSchema, examSchema } from "./judging.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headSchema, headShape } from "./shapes.ts";

const cost = z.number().min(0).nullable();
const estimateShape = {
  requests: count.describe("questions that would be sent"),
  cached: count.describe("questions that kept answers answer"),
  tokensIn: count.describe("characters over four: a rule of thumb for English, every model counts its own"),
  tokensOut: count,
  cost: cost.describe("in the currency of --price-in and --price-out; null without"),
};
const estimateSchema = z.strictObject(estimateShape);
/** What labelling by a language model will cost. */
export type Estimate = z.infer<typeof estimateSchema>;

/** What `label --estimate --json` prints. */
export const labelEstimateSchema = z.strictObject({ origin: originSchema(), ...estimateShape });
export const labelEstimateResult = resultBuilder(labelEstimateSchema);

/**
 * - `case`, `spacing`, `plural`: one label in several spellings;
 * - `misspelt`: two labels one letter apart;
 * - `joined`: a word that is two other labels run together, as where a list lacks a comma;
 * - `listed`: the first is a property and the heads listed for it; some of them have the other labels;
 * - `unlisted`: the same, and heads that have the property's name are not in its list.
 */
export const INCONSISTENCY_KINDS = [
  "case",
  "spacing",
  "plural",
  "misspelt",
  "joined",
  "listed",
  "unlisted",
] as const;

const labelUseSchema = z.strictObject({ label: z.string(), heads: z.array(headSchema) });
/** A label as it is written, and the heads that have it. */
export type LabelUse = z.infer<typeof labelUseSchema>;

const inconsistencySchema = z.strictObject({
  kind: z.enum(INCONSISTENCY_KINDS),
  labels: z.array(labelUseSchema),
});
/** Labels that contradict each other. */
export type Inconsistency = z.infer<typeof inconsistencySchema>;

const labelledHeadSchema = z.strictObject({
  ...headShape,
  ...headLabelShape,
  labeller: z.strictObject(makerShape),
  judge: z.strictObject(judgeShape).nullable(),
});
/** A head's label with what it was made from. */
export type LabelledHead = z.infer<typeof labelledHeadSchema>;

const failedHeadSchema = z.strictObject({
  ...headShape,
  step: z.enum(["label", "judge"]).describe("the label is missing, or the verdicts on it"),
  code: z.string(),
  message: z.string(),
});
/** A head that a language model gave no usable answer about. */
export type FailedHead = z.infer<typeof failedHeadSchema>;

/** What `label --json` prints: what a labels file holds, and what there is to say of it. */
export const labelResultSchema = z.strictObject({
  origin: originSchema("model", "index", "pool", "labels")
    .partial()
    .required({ program: true, version: true })
    .describe("without a model for what was published: no weights were read"),
  model: z.string().describe("whose heads, as a labels file says it"),
  source: z.string().describe("what the descriptions come from, in words"),
  heads: z.array(labelledHeadSchema),
  unlabelled: z.array(headSchema).describe("that the labeller has no label for"),
  failed: z
    .array(failedHeadSchema)
    .describe("that a request failed for, with --keep-going; the same command asks again"),
  inconsistencies: z.array(inconsistencySchema),
  agreement: agreementSchema.nullable().describe("null where there are not several judges"),
  exam: examSchema.nullable().describe("null without --distractors"),
  llm: z
    .strictObject({
      estimate: estimateSchema,
      asked: count,
      cached: count,
      tokensIn: count.describe("as the server counts; 0 where it does not"),
      tokensOut: count,
      cost,
    })
    .nullable()
    .describe("null where no language model was asked"),
});
/** Heads with their labels. */
export type LabelResult = z.infer<typeof labelResultSchema>;
export const labelResult = resultBuilder(labelResultSchema);
