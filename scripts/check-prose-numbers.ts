/** Says which numbers in sentences of docs/ are not what they are measured to be: `npm run docs:prose`. */
import { readFileSync } from "node:fs";
import { proseNumbers } from "./prose-numbers.ts";

for (const { page, words } of await proseNumbers()) {
  const stands = readFileSync(new URL(`../docs/${page}`, import.meta.url), "utf8").includes(words);
  console.log(`${stands ? "stands" : "MISSING"}  ${page}: ${words}`);
  if (!stands) process.exitCode = 1;
}
