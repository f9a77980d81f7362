/**
 * Says which numbers in sentences of docs/ are not what they are measured to be.
 *
 *   npm run docs:prose -- [PARAGRAPH …]
 *
 * A paragraph is one of the names in prose/paragraphs.ts; by default all are measured.
 */
import { readFileSync } from "node:fs";
import { PARAGRAPHS, standsIn } from "./prose/paragraphs.ts";

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in PARAGRAPHS));
if (unknown !== undefined)
  throw new Error(`no paragraph ${unknown}: ${Object.keys(PARAGRAPHS).join(", ")} are`);
for (const name of asked.length > 0 ? asked : Object.keys(PARAGRAPHS)) {
  const started = performance.now();
  const found = await PARAGRAPHS[name]();
  console.log(`${name} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  for (const { page, words } of found) {
    const stands = standsIn(readFileSync(new URL(`../docs/${page}`, import.meta.url), "utf8"), words);
    console.log(`  ${stands ? "stands" : "MISSING"}  ${page}: ${words}`);
    if (!stands) process.exitCode = 1;
  }
}
