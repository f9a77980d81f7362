/** The pool for photographs: the vocabularies and templates of `photographs/*.txt`, each in each. */
import { readdirSync, readFileSync } from "node:fs";
import type { PoolText } from "../../src/text/pool.ts";
import { expand, type Family } from "./expand.ts";

const FOLDER = new URL("photographs/", import.meta.url);

/** Every text of the pool, in order. */
export const photographsPool = (): PoolText[] =>
  expand(
    readdirSync(FOLDER)
      .sort()
      .flatMap((file) => parseFamilies(readFileSync(new URL(file, FOLDER), "utf8"))),
  );

/**
 * Reads families: `== property n` begins one whose words each go into n of its templates, a line with `> ` is a template,
 * every other line holds words between commas; `#` begins a comment.
 */
function parseFamilies(text: string): Family[] {
  const families: { property: string; each: number; templates: string[]; words: string[] }[] = [];
  for (const line of text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"))) {
    const [, property, each] = /^== (.+) (\d+)$/.exec(line) ?? [];
    if (property !== undefined) families.push({ property, each: Number(each), templates: [], words: [] });
    else if (line.startsWith("> ")) families[families.length - 1].templates.push(line.slice(2));
    else families[families.length - 1].words.push(...line.split(",").map((word) => word.trim()));
  }
  return families;
}
