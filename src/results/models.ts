import { z } from "zod";

const count = z.int().min(1).nullable();

/** What `models` prints: every model that can be named, and whether it is here. `null`: not known before it is fetched. */
export const modelsResultSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      name: z.string(),
      source: z.enum(["embedded", "hub"]),
      hubId: z.string().nullable(),
      layers: count,
      heads: count,
      patch: count,
      imageSize: count,
      trainedOn: z.string().nullable(),
      licence: z.string().nullable(),
      /** Of the weights, in 10^6 bytes; an estimate where `approximate` says so. */
      megabytes: z.number().min(0).nullable(),
      approximate: z.boolean(),
      /** One of the six models of the paper. */
      paper: z.boolean(),
      present: z.boolean(),
      /** Whether its tokenizer is here too; without it only images can be used. `null`: not known. */
      texts: z.boolean().nullable(),
      folder: z.string().nullable(),
    }),
  ),
});

/** What `pull` prints: where the model is now, and what came over the network. */
export const pullResultSchema = z.strictObject({
  model: z.string(),
  hubId: z.string().nullable(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  folder: z.string(),
  receivedBytes: z.int().min(0),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int().min(0) })),
});
