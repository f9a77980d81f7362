/**
 * Measures how well words point, and writes the numbers into docs/words.md: `npm run docs:words`. With `--exclip FILE` it writes
 * what `bench/second_order.py` reads instead.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { exclipInput, measureWords, WORDS_PAGE, withWords } from "./words-tables.ts";

/** Scenes that exCLIP is computed for: as many as were when its maps took ten seconds each. */
const EXCLIP_SCENES = 51;

const [option, file] = process.argv.slice(2);
if (option === "--exclip") writeFileSync(file, await exclipInput(EXCLIP_SCENES));
else {
  const page = new URL(`../docs/${WORDS_PAGE}`, import.meta.url);
  writeFileSync(page, withWords(readFileSync(page, "utf8"), await measureWords()));
}
