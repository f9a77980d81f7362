/**
 * Heads in words of one's own: a file of texts, one a line, in place of the pools that come with the package. Run it with
 * `npm run build && node dist/cli/main.js index examples/scenes --out out/scenes.index && npx tsx examples/own-pool.ts`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { describeHeads, openIndex, openModel, parseHeads } from "clip-interpret";
import { loadPool } from "clip-interpret/labeling";

/** The texts of a file that explain most of what each head does over an index, and the share that they explain together. */
export async function inOwnWords(folder: string, pool: string, heads: string, iterations: number) {
  const model = await openModel();
  const index = await openIndex(model, folder);
  const texts = await loadPool(pool);
  const result = await describeHeads(model, index, parseHeads(model, heads), texts, { iterations });
  await model.release();
  return result.heads.map(({ name, descriptions }) => ({
    name,
    texts: descriptions.map(({ text }) => text),
    explained: descriptions.reduce((sum, { explainedVariance }) => sum + explainedVariance, 0),
  }));
}

/** Where things are, and what is behind them. */
export const WORDS = [
  ...["red", "green", "blue", "purple", "gray"].map((color) => `a ${color} background`),
  ...["at the top", "at the bottom", "on the left", "on the right"].map((place) => `something ${place}`),
];

if (process.argv[1] === import.meta.filename) {
  await mkdir("out", { recursive: true });
  await writeFile("out/words.txt", WORDS.join("\n"));
  for (const { name, texts, explained } of await inOwnWords(
    "out/scenes.index",
    "out/words.txt",
    "L1.H0,L3.H3",
    3,
  ))
    console.log(`${name}  ${texts.join(", ")}  (${(100 * explained).toFixed(0)} % of its variance)`);
}
