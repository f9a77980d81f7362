import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { measureWords, WORDS_PAGE, withWords } from "../../scripts/words-tables.ts";

it("the numbers of words in docs/ are those that it measures", async () => {
  const page = readFileSync(new URL(`../../docs/${WORDS_PAGE}`, import.meta.url), "utf8");
  expect(withWords(page, await measureWords())).toBe(page);
});
