import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { proseNumbers } from "../../scripts/prose-numbers.ts";

it("numbers in sentences of docs/ are what they are measured to be", async () => {
  for (const { page, words } of await proseNumbers())
    expect(readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8")).toContain(words);
});
