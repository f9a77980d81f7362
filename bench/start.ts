/**
 * From the call of `serve` to the first map, in a fresh process each time: `npm run bench:start [-- MODEL FOLDER [turns]]`, after a
 * build. Random weights of the shape of ViT-B/32 unless a folder is given; their file is in the page cache. Beside it what
 * cannot be left out: reading and hashing the file once, and starting both towers' sessions.
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClipModel } from "../src/model/load-model.ts";
import { goldenPath } from "../test/support/goldens.ts";
import { writeTrueCheckpoint } from "../test/support/true-checkpoints.ts";
import { ratio } from "./ratio.ts";
import { startServe } from "./serve.ts";

const root = join(import.meta.dirname, "..");
const [given = "", turns = "3"] = process.argv.slice(2);
const work = await mkdtemp(join(tmpdir(), "bench-start-"));
const folder = given || join(work, "model");
if (!given) {
  await writeTrueCheckpoint(folder, { name: "model", shape: "ViT-B-32" });
  await writeFile(join(folder, "tokenizer.json"), await readFile(goldenPath("tokenizer/tokenizer.json")));
}
const photo = new Uint8Array(await readFile(join(root, "examples/photos/bee.jpg")));
const text = "a photo of a bee";

/** Milliseconds until the server listens, and until it has answered with every head's tokens. */
async function serve(turn: number): Promise<{ listening: number; map: number }> {
  const started = performance.now();
  const { child, url } = await startServe(["--model", folder], join(work, `cache-${turn}`));
  const listening = performance.now() - started;
  const ask = async <T>(path: string, type: string, body?: string | Uint8Array<ArrayBuffer>): Promise<T> => {
    const response = await fetch(new URL(path, url), {
      headers: { "content-type": type },
      ...(body && { method: "POST", body }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  };
  const { defaultModel: model } = await ask<{ defaultModel: string }>("api/app", "application/json");
  const { image } = await ask<{ image: string }>("api/images", "application/octet-stream", photo);
  await ask("api/tokens", "application/json", JSON.stringify({ model, image, text }));
  const map = performance.now() - started;
  child.kill("SIGINT");
  await once(child, "exit");
  return { listening, map };
}

/** The same work without a server: one read of the file, and one run of each tower. */
async function floor(): Promise<number> {
  const started = performance.now();
  const model = await loadClipModel(folder);
  await model.weightsHash();
  const { imageSize, layers } = model.config.vision;
  const pixels = new Float32Array(3 * imageSize ** 2).fill(0.1);
  await model.decompose(pixels, { tokenLayers: Array.from({ length: layers }, (_, layer) => layer) });
  await model.encodeTexts([text]);
  const took = performance.now() - started;
  await model.release();
  return took;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const times: { listening: number; map: number; floor: number }[] = [];
for (let turn = 0; turn < Number(turns); turn++) times.push({ ...(await serve(turn)), floor: await floor() });
const [listening, map, least] = (["listening", "map", "floor"] as const).map((key) =>
  median(times.map((time) => time[key])),
);
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
console.log(`listens after ${seconds(listening)}, first map after ${seconds(map)}; floor ${seconds(least)}`);
ratio({
  ...{ what: "from the call of serve to the first map, ViT-B/32", took: map },
  ...{ beside: "loading, hashing and one run of each tower", besideTook: least },
});
await rm(work, { recursive: true });
