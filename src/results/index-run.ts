import { z } from "zod";

const count = z.int().min(0);

/** What `index` prints: what the index holds now, and what this run did. */
export const indexResultSchema = z.strictObject({
  folder: z.string(),
  model: z.string(),
  images: count,
  rejected: count.describe("files that could not be indexed; each shard's rejected.jsonl says why"),
  shards: count,
  added: count.describe("images and rejected files that this run added"),
  changed: z
    .array(z.string())
    .describe("files with another size, label or factors than when they were indexed"),
  removed: z.array(z.string()).describe("indexed files that are no longer there"),
  pruned: z.boolean().describe("whether changed and removed files were taken out"),
  exported: z.array(z.string()).describe("files that --export wrote"),
  repaired: z.array(z.string()).describe("shards that were damaged and made anew"),
});

/** What `index --check` prints. */
export const indexCheckSchema = z.strictObject({
  folder: z.string(),
  model: z.string(),
  images: count,
  shards: count,
  corrupt: z.array(z.string()).describe("files of the index that are not what was written"),
  changed: z.array(z.string()).describe("images whose bytes are no longer those that were indexed"),
  missing: z.array(z.string()).describe("indexed images that can no longer be read"),
});
