/**
 * An index larger than what a laptop likes to hold, and what reading it takes.
 *
 *     npm run bench:scale -- make FOLDER [images]     writes an index of the embedded model: random numbers, no pictures
 *     npm run bench:scale -- measure FOLDER           commands and a server over it: seconds and peak memory (Linux; needs a build)
 *
 * 1,280,000 images by default, as many as ImageNet's training set: 157 shards in the layout that `index` writes, their checksums
 * and moments right. z are random numbers around a mean of each head, so that nothing compresses or repeats.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { folderStore } from "../src/corpus/folder-store.ts";
import { type Manifest, originOf } from "../src/corpus/manifest.ts";
import { writeManifest } from "../src/corpus/manifest-file.ts";
import { putShard } from "../src/corpus/put-shard.ts";
import { imageRow } from "../src/corpus/rows.ts";
import { createShard } from "../src/corpus/shard.ts";
import { storeBatch } from "../src/corpus/stored.ts";
import { Random } from "../src/math/random.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { createModelLoader } from "../src/model/registry.ts";
import { sha256Of } from "../src/support/hash.ts";

const SHARD = 8192;
const LABELS = ["monkey", "bicycle", "apple", "rocket", "violin", "umbrella", "tulip", "anchor"];

async function make(folder: string, images: number): Promise<void> {
  const model = await createModelLoader().load(DEFAULT_MODEL);
  const { layers, heads, headDim, embedDim } = model.geometry;
  const store = folderStore(folder);
  const shape = { layers, heads, headDim, embedDim, dtype: "float16", mlps: false } as const;
  let manifest: Manifest = {
    ...{ format: "clip-interpret-index", version: 1, ...(await originOf(model, true)), ...shape },
    ...{ root: join(folder, "pictures"), shards: [] },
  };
  const random = new Random(1);
  const perImage = layers * heads * headDim;
  const means = Float32Array.from({ length: perImage }, () => random.between(-1, 1));
  for (let start = 0; start < images; start += SHARD) {
    const count = Math.min(SHARD, images - start);
    const shard = createShard(manifest, count);
    const z = new Float32Array(count * perImage);
    for (let i = 0; i < z.length; i++) z[i] = means[i % perImage] + random.between(-0.5, 0.5);
    const embedding = Float32Array.from({ length: count * embedDim }, () => random.between(-0.15, 0.15));
    const values = (least: number, most: number) =>
      Float32Array.from({ length: count }, () => random.between(least, most));
    const parts = {
      ...{ count, z, embedding, mlps: new Float32Array(0) },
      ...{ mu: values(-0.1, 0.1), sigma: values(1, 1.2), norm: new Float32Array(count).fill(1) },
    };
    const rows = Array.from({ length: count }, (_, i) => {
      const label = LABELS[(start + i) % LABELS.length];
      const path = `${label}/${String(start + i).padStart(8, "0")}.jpg`;
      const factors = { style: (start + i) % 3 === 0 ? "flat" : "drawn", position: (start + i) % 4 };
      const known = { width: 500, height: 375, bytes: 110_000 + i, sha256: sha256Of(path) };
      return imageRow({ path, label, factors, bytes: known.bytes }, known);
    });
    shard.add(storeBatch(parts as never, manifest), rows);
    const entry = await putShard(store, manifest, shard, 0);
    manifest = { ...manifest, shards: [...manifest.shards, entry] };
    process.stdout.write(`\r${(start + count).toLocaleString("en")} images`);
  }
  await writeManifest(store, manifest);
  console.log(` in ${folder}`);
}

const COMMAND = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Highest resident memory of a process so far, in MB, and the seconds that its cores worked. */
function usageOf({ pid }: ChildProcess): { peak: number; cores: number } {
  try {
    const peak = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0;
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return { peak: Number(peak) / 1024, cores: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return { peak: 0, cores: 0 };
  }
}

function start(args: readonly string[], cache: string) {
  const env = { ...process.env, CLIP_INTERPRET_CACHE: cache };
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [used, out, errors] = [usageOf(child), "", ""];
  const look = () => {
    const now = usageOf(child);
    if (now.peak > 0) used = now;
    return used;
  };
  const timer = setInterval(look, 20);
  child.stdout?.on("data", (data) => (out += data));
  child.stderr?.on("data", (data) => (errors += data));
  const ended = new Promise<number | null>((done) => child.on("close", done)).finally(() =>
    clearInterval(timer),
  );
  return { child, ended, used: look, text: () => out, errors: () => errors };
}

const say = (what: string, ms: number, { peak, cores }: ReturnType<typeof usageOf>, more = "") =>
  console.log(
    `${what.padEnd(58)} ${(ms / 1000).toFixed(2).padStart(8)} s ${cores.toFixed(1).padStart(7)} s of a core ${peak.toFixed(0).padStart(6)} MB  ${more}`,
  );

async function command(what: string, args: readonly string[], cache: string): Promise<void> {
  const before = performance.now();
  const run = start([...args, "--json"], cache);
  const code = await run.ended;
  const shown = code === 0 ? sha256Of(withoutTimes(run.text())).slice(0, 12) : run.errors().slice(0, 300);
  say(what, performance.now() - before, run.used(), shown);
}

const withoutTimes = (text: string) => text.replace(/"(seconds|version)":[^,}]*/g, "");

async function measureServer(folder: string, cache: string): Promise<void> {
  const before = performance.now();
  const run = start(["serve", "--index", folder, "--port", "0"], cache);
  let url = "";
  while (url === "") {
    url = /http:\/\/[^\s]+/.exec(run.text() + run.errors())?.[0] ?? "";
    if (run.child.exitCode !== null) return console.log(run.errors());
    await new Promise((done) => setTimeout(done, 20));
  }
  say("serve: until it listens", performance.now() - before, run.used());
  const ask = async (what: string, path: string, body?: object) => {
    const asked = performance.now();
    const response = await fetch(new URL(path, url), {
      headers: { "content-type": "application/json" },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const shown = response.ok ? sha256Of(withoutTimes(text)).slice(0, 12) : text.slice(0, 200);
    say(`serve: ${what}`, performance.now() - asked, run.used(), shown);
    return JSON.parse(text);
  };
  const corpora = await ask("collections", "/api/corpora");
  const corpus = corpora.corpora[0].name;
  const search = (heads: string, query: object, scoring: string) => ({
    ...{ model: DEFAULT_MODEL, corpus, query, heads, k: 8, scoring },
  });
  const text = { text: "a monkey" };
  await ask("collections again", "/api/corpora");
  const listed = await ask("images 1,000,000 to 1,000,059", `/api/corpora/${corpus}/images?offset=1000000`);
  const [{ image }] = listed.images.length > 0 ? listed.images : [{ image: "" }];
  await ask("the same again", `/api/corpora/${corpus}/images?offset=1000000`);
  await ask("one image by its id", `/api/corpora/${corpus}/images?ids=${image.split(":")[1]}`);
  for (const heads of ["L3.H1", "L3.H1", "L2.H0", "last2"]) {
    await ask(`text through ${heads}`, "/api/neighbors", search(heads, text, "dot"));
  }
  await ask("another text through L3.H1", "/api/neighbors", search("L3.H1", { text: "an apple" }, "dot"));
  await ask("a text, from the mean, L3.H1", "/api/neighbors", search("L3.H1", text, "centred"));
  await ask("another, from the mean", "/api/neighbors", search("L3.H1", { text: "an apple" }, "centred"));
  const examples = await ask("the examples' images", "/api/corpora/scenes/images?limit=1");
  const picture = { image: examples.images[0].image };
  await ask("an image, from the mean, L3.H1", "/api/neighbors", search("L3.H1", picture, "centred"));
  run.child.kill("SIGTERM");
  await run.ended;
}

async function measure(folder: string, only: string | undefined): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), "clip-interpret-scale-"));
  const picture = fileURLToPath(new URL("../examples/scenes/images/0067-monkey.png", import.meta.url));
  const near = (...rest: string[]) => ["neighbors", "--index", folder, ...rest];
  const runs: Record<string, readonly string[]> = {
    "neighbors, text, one head": near("--heads", "L3.H1", "--text", "a monkey"),
    "the same again": near("--heads", "L3.H1", "--text", "a monkey"),
    "neighbors, text, all heads": near("--heads", "all", "--text", "a monkey"),
    "neighbors, image, one head, from the mean": near("--heads", "L3.H1", "--image", picture),
    "textspan, one head, no resamples": [
      ...["textspan", "--index", folder, "--heads", "L3.H1", "--resamples", "0", "--control", "0"],
    ],
    "textspan, one head, 32 resamples": [
      ...["textspan", "--index", folder, "--heads", "L3.H1", "--control", "0"],
    ],
  };
  try {
    for (const [what, args] of Object.entries(runs))
      if (!only || what.includes(only)) await command(what, args, cache);
    if (!only || only === "serve") await measureServer(folder, cache);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

const [task, folder, more] = process.argv.slice(2);
if (task === "make" && folder) await make(resolve(folder), Number(more ?? 1_280_000));
else if (task === "measure" && folder) await measure(resolve(folder), more);
else console.error("npm run bench:scale -- make FOLDER [images] | measure FOLDER [what]");
