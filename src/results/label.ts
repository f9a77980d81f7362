import { z } from "zod";
import { INCONSISTENCY_KINDS } from "../labeling/inconsistencies.ts";
import { headLabelShape, headNameSchema, judgeShape, makerShape } from "../labels/labels-file.ts";

const count = z.int().min(0);

/** What `label --estimate --json` prints. */
export const labelEstimateSchema = z.strictObject({
  requests: count.describe("questions that would be sent"),
  cached: count.describe("questions that kept answers answer"),
  tokensIn: count.describe("characters over four"),
  tokensOut: count,
  cost: z.number().min(0).nullable().describe("in the currency of --price-in and --price-out; null without"),
});

/** What `label --json` prints: a labels file, and what there is to say of it. */
export const labelResultSchema = z.strictObject({
  model: z.string(),
  source: z.string(),
  heads: z.record(
    headNameSchema,
    z.strictObject({
      ...headLabelShape,
      labeller: z.strictObject(makerShape),
      judge: z.strictObject(judgeShape).nullable(),
    }),
  ),
  unlabelled: z.array(headNameSchema),
  inconsistencies: z.array(
    z.strictObject({
      kind: z.enum(INCONSISTENCY_KINDS),
      labels: z.array(z.strictObject({ label: z.string(), heads: z.array(z.string()) })),
    }),
  ),
  llm: z
    .strictObject({
      estimate: labelEstimateSchema,
      asked: count,
      cached: count,
      tokensIn: count.describe("as the server counts; 0 where it does not"),
      tokensOut: count,
      cost: z.number().min(0).nullable(),
    })
    .nullable()
    .describe("null where no language model was asked"),
});
