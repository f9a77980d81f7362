import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PARAGRAPHS, standsIn } from "../../scripts/prose/paragraphs.ts";

it.each(Object.keys(PARAGRAPHS))(
  "numbers in sentences of docs/ are what they are measured to be: %s",
  async (name) => {
    for (const { page, words } of await PARAGRAPHS[name]()) {
      const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
      expect(standsIn(text, words), `${page}: ${words}`).toBe(true);
    }
  },
);
