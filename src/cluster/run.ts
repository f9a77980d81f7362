/** What a job of the queue says: everything that a machine needs to compute one part of an index. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { PRECISIONS } from "../onnx/linear.ts";

export const runSchema = z.strictObject({
  version: z.string().describe("of the program that planned it; no other computes it"),
  store: z.string().describe("where the index lies, under the same name on every machine"),
  model: z.string().describe("what finds the model on a machine; the index says which weights it has"),
  precision: z.enum(PRECISIONS),
  device: z.string(),
  activation: z.string().optional(),
  exif: z.boolean(),
  shardSize: z.int().min(1).optional(),
  maxPixels: z.int().min(1).optional(),
});

/** A run: the index that is made, and how. */
export type Run = z.infer<typeof runSchema>;

export const jobSchema = z.strictObject({
  run: runSchema,
  part: z.strictObject({ number: z.int().min(1), of: z.int().min(1) }),
});

/** Part K of N of a run. */
export type PartJob = z.infer<typeof jobSchema>;

/** The queue of an index: whoever plans the same index finds the same queue. */
export const queueOf = (store: string): string =>
  `clip-interpret-${createHash("sha256").update(store).digest("hex").slice(0, 16)}`;

/** The set in Redis of queues that have work. */
export const QUEUES = "clip-interpret:queues";

/** Where workers write why they left a queue. */
export const refusalsOf = (queue: string): string => `clip-interpret:refused:${queue}`;

/** There while somebody wants the index of a queue: for so many seconds after it was planned, or a part of it computed. */
export const wantedOf = (queue: string): string => `clip-interpret:wanted:${queue}`;
export const WANTED = 86_400;

export const refusalSchema = z.strictObject({ code: z.string(), message: z.string() });

/** Tries of a part that ends with an error. */
export const ATTEMPTS = 3;
