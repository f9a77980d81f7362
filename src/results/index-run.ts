import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count } from "./shapes.ts";

const kinds = z.record(z.string(), count);
const reasons = z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() }));

/** What `index` prints: what the index holds now, and what this run did. */
export const indexResultSchema = z.strictObject({
  origin: originSchema("model", "index"),
  folder: z.string(),
  root: z.string().describe("the folder that image paths start at"),
  movedFrom: z.string().nullable().describe("where that folder was before this run found it elsewhere"),
  images: count,
  rejected: count.describe("files that could not be indexed; each shard's rejected.jsonl says why"),
  unsupported: kinds.describe("rejected files that are pictures in formats that are not read, by extension"),
  firstRejected: reasons.describe(
    "the first rejected files that are no such pictures, and why; five at most",
  ),
  unread: reasons.describe("files that could not be reached or read; every run tries them anew"),
  passedOver: z
    .strictObject({
      hidden: count.describe("files and folders that are hidden, or kept by other programs for themselves"),
      others: kinds.describe("files that are no pictures, by extension"),
    })
    .describe("what was not taken for an image"),
  shards: count,
  added: count.describe("images and rejected files that this run added"),
  changed: z
    .array(z.string())
    .describe("files with another size, label or factors than when they were indexed"),
  removed: z.array(z.string()).describe("indexed files that are no longer there"),
  pruned: z.boolean().describe("whether changed and removed files were taken out"),
  exported: z.array(z.string()).describe("files that --export wrote"),
  repaired: z.array(z.string()).describe("shards that were damaged and made again"),
  part: z
    .strictObject({
      number: count.min(1),
      of: count.min(1),
      missing: z
        .array(count)
        .describe("parts that are not finished yet; where none is, all were put together"),
    })
    .nullable()
    .describe("which part of the index this run made; null for the whole index"),
});
/** What an index holds, and what a run did. */
export type IndexResult = z.infer<typeof indexResultSchema>;

export const indexResult = resultBuilder(indexResultSchema);

/** What `index --check` prints. */
export const indexCheckSchema = z.strictObject({
  origin: originSchema("index"),
  folder: z.string(),
  model: z.string().describe("that made the index"),
  images: count,
  shards: count,
  corrupt: z.array(z.string()).describe("files of the index that are not what was written"),
  changed: z.array(z.string()).describe("images whose bytes are no longer those that were indexed"),
  missing: z.array(z.string()).describe("indexed images that can no longer be read"),
});
/** What a full check of an index found. */
export type IndexCheckResult = z.infer<typeof indexCheckSchema>;

export const indexCheckResult = resultBuilder(indexCheckSchema);

/** What `index --out INDEX --export …` prints, where nothing is indexed. */
export const indexExportSchema = z.strictObject({
  origin: originSchema("model", "index"),
  folder: z.string(),
  images: count,
  exported: z.array(z.string()).describe("files that --export wrote"),
});
export const indexExportResult = resultBuilder(indexExportSchema);
