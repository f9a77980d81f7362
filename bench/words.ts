/**
 * How soon the app's first page says which word looks where: `npm run bench:words [rounds]`. Each round starts a server with nothing in
 * its caches and asks what the page asks for its first picture and text, all at once; then for another text, as soon as one is written.
 * What counts is how long after the map (every head's tokens) the words are there.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { startServer } from "../src/server/serve.ts";
import { startEngine } from "../src/server/threads/engine.ts";
import { ratio } from "./ratio.ts";

const [rounds = 7] = process.argv.slice(2).map(Number);
const model = DEFAULT_MODEL;

/** Milliseconds after which each answer was there. */
async function look(url: string, image: string, text: string) {
  const start = performance.now();
  const ask = async (path: string, body: object) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return performance.now() - start;
  };
  const [, tokens, words] = await Promise.all([
    ask("/api/explain", { model, image, texts: [text] }),
    ask("/api/tokens", { model, image, text }),
    ask("/api/words", { model, image, text }),
  ]);
  return { map: tokens, after: words - tokens };
}

console.log("round | first map ms | words after it | another text's map | words after it");
for (let round = 0; round < rounds; round++) {
  const cache = await mkdtemp(join(tmpdir(), "clip-interpret-bench-"));
  const models = startEngine();
  const server = await startServer({ models, served: [model], cache, ahead: true });
  try {
    // As long as a browser takes to open a page.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { example } = (await (await fetch(new URL("/api/app", server.url))).json()) as {
      example: { image: string; texts: string[] };
    };
    const first = await look(server.url, example.image, example.texts[0]);
    const next = await look(server.url, example.image, "a monkey on a purple background");
    const numbers = [first.map, first.after, next.map, next.after].map((ms) => ms.toFixed(0));
    console.log([round, ...numbers].join(" | "));
    ratio({
      ...{ what: `words and map of a first look, round ${round}`, took: first.map + first.after },
      ...{ beside: "the map alone", besideTook: first.map },
    });
  } finally {
    await server.close();
    await models.release();
    await rm(cache, { recursive: true, force: true });
  }
}
