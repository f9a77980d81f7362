import { z } from "zod";
import { count, share } from "./shapes.ts";

const kappa = z.number().min(-1).max(1).nullable().describe("null where all say the same of everything");

export const agreementSchema = z.strictObject({
  verdicts: count.describe("that every judge gave"),
  pairs: z.array(
    z.strictObject({
      judges: z.tuple([z.string(), z.string()]),
      observed: share.describe("share of verdicts that are the same"),
      kappa: kappa.describe("Cohen's"),
    }),
  ),
  fleiss: kappa.describe("Fleiss', of all judges"),
});
/** How far judges agree beyond chance. */
export type Agreement = z.infer<typeof agreementSchema>;

const countedSchema = z.strictObject({
  hits: count,
  of: count,
  share: share.nullable().describe("null of none"),
  low: share.describe("Wilson's 95 % interval"),
  high: share,
});
export const examinedSchema = z.strictObject({
  by: z.string(),
  sensitivity: countedSchema.describe("yes to texts that speak of the property"),
  specificity: countedSchema.describe("no to texts that speak of another"),
});
/** How a judge did on texts of which it is known what they speak of. */
export type Examined = z.infer<typeof examinedSchema>;

export const correctedSchema = z.strictObject({
  apparent: share.describe("share of descriptions that the judge says fit: mean CCS / 5"),
  value: share
    .nullable()
    .describe("Rogan–Gladen: the share that truly fits; null of a judge no better than chance"),
  low: share.describe("95 % interval (Lang–Reiczigel)"),
  high: share,
});
/** A share corrected for the judge's errors. */
export type Corrected = z.infer<typeof correctedSchema>;

export const examSchema = z.strictObject({
  questions: count,
  failed: z
    .array(z.strictObject({ code: z.string(), message: z.string() }))
    .describe("questions without an answer that can be read"),
  judges: z.array(examinedSchema),
  majority: examinedSchema.describe("all judges together, as they judge labels"),
  corrected: correctedSchema.nullable().describe("null where no label was judged by them"),
});
/** What judges are worth, and consistency corrected for it. */
export type Exam = z.infer<typeof examSchema>;
