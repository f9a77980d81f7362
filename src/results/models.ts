import { z } from "zod";
import { catalogueEntrySchema } from "../model/catalogue.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";

/** What `models --json` prints: every model that can be named, and whether it is here. */
export const modelsResultSchema = z.strictObject({
  origin: originSchema(),
  models: z.array(catalogueEntrySchema),
});

export const modelsResult = resultBuilder(modelsResultSchema);

/** What `pull --json` prints: where the model is now, and what came over the network. */
export const pullResultSchema = z.strictObject({
  origin: originSchema(),
  model: z.string(),
  hubId: z.string().nullable(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  folder: z.string(),
  receivedBytes: z.int().min(0).describe("that came over the network; 0 if all was there"),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int().min(0) })),
});

export const pullResult = resultBuilder(pullResultSchema);
