/**
 * Writes the pools of texts that come with the package, and their counts into docs/pools.md.
 *
 *   npm run pools
 */
import { readFileSync, writeFileSync } from "node:fs";
import { POOLS } from "../src/text/pool.ts";
import { countTable, MAKERS, poolFile } from "./pools/pools.ts";

const page = new URL("../docs/pools.md", import.meta.url);
let text = readFileSync(page, "utf8");
for (const name of POOLS) {
  const texts = MAKERS[name]();
  writeFileSync(new URL(`../assets/pools/${name}.jsonl`, import.meta.url), poolFile(texts));
  const place = new RegExp(`(<!-- counts of ${name} -->\n)[^]*?(?=<!-- end -->)`);
  if (!place.test(text)) throw new Error(`docs/pools.md has no place for the counts of ${name}`);
  text = text.replace(place, (_, start: string) => `${start}${countTable(texts)}\n`);
}
writeFileSync(page, text);
