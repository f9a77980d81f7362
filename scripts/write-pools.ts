/**
 * Writes the pools of texts that come with the package, and their counts into docs/pools.md.
 *
 *   npm run pools
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { POOLS } from "../src/text/pool.ts";
import { countTable, MAKERS, poolFile } from "./pools/pools.ts";

for (const name of POOLS) {
  const texts = MAKERS[name]();
  writeFileSync(new URL(`../assets/pools/${name}.jsonl`, import.meta.url), poolFile(texts));
  console.log(name, countTable(texts));
}
