import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { headSchema } from "./shapes.ts";
import { calibrationSchema } from "./study.ts";

const meaningSchema = z.strictObject({
  label: z.string(),
  factor: z
    .string()
    .nullable()
    .describe("the factor that it stands for; null: none, so it is right of no head"),
  heads: z.array(headSchema),
});
/** What a label stands for. */
export type Meaning = z.infer<typeof meaningSchema>;

/** What `calibrate --json` prints. */
export const calibrateResultSchema = z.strictObject({
  origin: originSchema("model", "index", "pool", "labels"),
  labellers: z.array(z.string()).describe("who made the labels"),
  factors: z
    .array(z.string())
    .describe("that labels can be compared with: the pool's properties that images know"),
  meanings: z.array(meaningSchema),
  left: z.array(headSchema).describe("labelled heads that nobody judged, so that they are left out"),
  calibration: calibrationSchema,
});
/** Whether the labels of a file are true of a model. */
export type CalibrateResult = z.infer<typeof calibrateResultSchema>;
export const calibrateResult = resultBuilder(calibrateResultSchema);
