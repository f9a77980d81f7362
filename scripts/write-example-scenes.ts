/**
 * Writes the scenes that come with the package: a sample of the demo corpus, in the demo corpus's own layout.
 *
 *   npx tsx scripts/write-example-scenes.ts
 */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DEMO, planCorpus, writeCorpus } from "../src/world/corpus.ts";

/** Chosen by eye: every style, effect and number of objects, and no two alike. */
const INDICES = [
  0, 13, 18, 22, 30, 38, 42, 43, 49, 51, 63, 64, 67, 75, 84, 86, 97, 102, 122, 132, 139, 171, 180, 190,
];

const folder = fileURLToPath(new URL("../examples/scenes/", import.meta.url));
await rm(folder, { recursive: true, force: true });
await writeCorpus(folder, await planCorpus({ ...DEMO, indices: INDICES }));
