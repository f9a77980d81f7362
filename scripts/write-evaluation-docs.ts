/**
 * Writes what `debias` and `evaluate retrieval` say of the embedded models into docs/.
 *
 *   npm run docs:evaluation -- FILE.json …
 *
 * with what `debias --model MODEL --json` printed for each embedded model, in their order, and
 * `evaluate retrieval --index INDEX --scoring S --json` over indexes of the demo corpus.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { debiasResultSchema } from "../src/results/debias.ts";
import { retrievalResultSchema } from "../src/results/retrieval.ts";
import { withBlocks } from "./blocks.ts";
import { debiasBlocks, EVALUATION_PAGES, retrievalBlocks } from "./evaluation-tables.ts";

const read = process.argv.slice(2).map((path): unknown => JSON.parse(readFileSync(path, "utf8")));
const debiased = read.flatMap((json) => debiasResultSchema.safeParse(json).data ?? []);
const retrieved = read.flatMap((json) => retrievalResultSchema.safeParse(json).data ?? []);
const blocks = {
  ...(debiased.length > 0 && debiasBlocks(debiased)),
  ...(retrieved.length > 0 && retrievalBlocks(retrieved)),
};
for (const [name, all] of Object.entries(EVALUATION_PAGES)) {
  const page = new URL(`../docs/${name}`, import.meta.url);
  const names = all.filter((block) => block in blocks);
  writeFileSync(page, withBlocks(readFileSync(page, "utf8"), "evaluation", names, blocks));
}
