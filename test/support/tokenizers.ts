import { readFileSync, writeFileSync } from "node:fs";

/** Writes a `tokenizer.json` with words that it lacks, numbered behind its vocabulary. */
export function copyTokenizer(from: string, to: string, added: readonly string[] = []): void {
  const file = JSON.parse(readFileSync(from, "utf8"));
  const size = Object.keys(file.model.vocab).length;
  for (const [i, content] of added.entries())
    file.added_tokens.push({ ...file.added_tokens[0], id: size + i, content });
  writeFileSync(to, JSON.stringify(file));
}
