/**
 * Builds the app that needs no server of its own into `dist/page`: files with relative addresses, for any web server. What is
 * the same for all visitors is answered by files, which the server itself writes here.
 */
import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { KNOWN_MODELS } from "../src/hub/known-models.ts";
import { DEFAULT_MODEL, EMBEDDED_MODELS } from "../src/model/embedded.ts";
import type { App, Corpora, CorpusImages, JobView } from "../src/results/app.ts";
import type { AtlasState } from "../src/results/atlas.ts";
import { sha256Of } from "../src/support/hash.ts";
import type { PageFacts } from "../src/tab/facts.ts";
import { defaultPool, loadPool } from "../src/text/pool.ts";
import { hostsOfHub, PUBLIC_HUB, pagePolicy } from "./page-policy.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PAGE = join(ROOT, "dist/page");
/** The pictures that come with it: a few to start from, and those that an index, an atlas and measurements are of. */
const CORPORA = ["demo", "scenes"];
const DEMO = "demo";
/** Enough for heads to be told apart; few enough for the page's files. */
const DEMO_IMAGES = 200;
const WEIGHTS = "open_clip_model.safetensors";
const MERGES = "clip-merges.txt.gz";
/** Packages in the page's threads, of which Vite lists nothing; `.dependency-cruiser.browser.cjs` sees that there are no others. */
const IN_THREADS = [
  ...["@huggingface/tokenizers", "ml-matrix", "zod"],
  // Of ml-matrix.
  ...["is-any-array", "ml-array-max", "ml-array-min", "ml-array-rescale"],
];
const MODEL_FILES = ["open_clip_config.json", WEIGHTS, "tokenizer.json"];

const { values } = parseArgs({
  options: {
    hub: { type: "string", default: PUBLIC_HUB },
    connect: { type: "string", multiple: true, default: [] },
  },
});
const hub = values.hub.replace(/\/+$/, "");
const hosts = [...hostsOfHub(hub), ...values.connect];

await build({ configFile: join(ROOT, "web/page.config.ts"), mode: "page", logLevel: "warn" });
await build({ configFile: join(ROOT, "web/view.config.ts"), mode: "page", logLevel: "warn" });
await rename(join(PAGE, "tab.html"), join(PAGE, "index.html"));
const html = await readFile(join(PAGE, "index.html"), "utf8");
await writeFile(join(PAGE, "index.html"), html.replace("%POLICY%", pagePolicy(hosts)));

const licence = async (title: string, path: string) =>
  `\n## ${title}\n\n${(await readFile(join(ROOT, path), "utf8")).replaceAll(/^# .*\n+/gm, "")}`;
const licences = [
  await licence("clip-interpret", "LICENSE"),
  ...(await Promise.all(IN_THREADS.map((name) => licence(name, `node_modules/${name}/LICENSE`)))),
  await licence("ONNX Runtime", "assets/licenses/onnxruntime.txt"),
  await licence("ftfy", "assets/tokenizer/ftfy-LICENSE.txt"),
  await licence("CLIP's tokenizer", "assets/tokenizer/README.md"),
  await licence("Drawings in the pictures", "assets/drawings/README.md"),
];
await appendFile(join(PAGE, "licenses.md"), licences.join(""));

// The second is for a GPU, and fetched where one is chosen.
for (const [name, variant] of [
  ["runtime", ""],
  ["runtime-webgpu", ".asyncify"],
]) {
  const wasm = createRequire(import.meta.url).resolve(
    `onnxruntime-web/ort-wasm-simd-threaded${variant}.wasm`,
  );
  await writeFile(join(PAGE, `${name}.wasm.gz`), gzipSync(await readFile(wasm), { level: 9 }));
}

// For models from a hub that have none of their own.
await mkdir(join(PAGE, "tokenizer"));
await cp(join(ROOT, "assets/tokenizer", MERGES), join(PAGE, "tokenizer", MERGES));

const models: Record<string, Record<string, string>> = {};
for (const name of EMBEDDED_MODELS) {
  await mkdir(join(PAGE, "models", name), { recursive: true });
  models[name] = {};
  for (const file of MODEL_FILES) {
    const from = join(ROOT, "models", name, file);
    await cp(from, join(PAGE, "models", name, file));
    models[name][file] = sha256Of(await readFile(from));
  }
}

/** The server as it was built: its threads start in a moment, which sources are first compiled for. */
const built = <T>(module: string): Promise<T> =>
  import(new URL(`../dist/${module}.js`, import.meta.url).href);
const { startServer } = await built<typeof import("../src/server/serve.ts")>("server/serve");
const { startEngine } =
  await built<typeof import("../src/server/threads/engine.ts")>("server/threads/engine");
const { builtInCorpora } = await built<typeof import("../src/server/corpora.ts")>("server/corpora");
const { codeVersion } = await built<typeof import("../src/support/code-version.ts")>("support/code-version");
// The index, what it says of heads and the atlas take a minute: they are kept for as long as what computes them, and where that lies, stay
// the same.
const caches = join(ROOT, "node_modules/.cache/clip-interpret-page");
const cache = join(caches, sha256Of(`${await codeVersion()} ${ROOT}`).slice(0, 16));
for (const old of await readdir(caches).catch(() => []))
  if (old !== basename(cache)) await rm(join(caches, old), { recursive: true, force: true });
const pools: Record<string, string> = {};
for (const model of EMBEDDED_MODELS) {
  const name = defaultPool(model);
  pools[model] = `pools/${name}.json`;
  await mkdir(join(PAGE, "pools"), { recursive: true });
  await writeFile(join(PAGE, pools[model]), JSON.stringify(await loadPool(name)));
}
const server = await startServer({
  ...{ models: startEngine(), served: [DEFAULT_MODEL], cache },
  builtIn: builtInCorpora({ ...process.env, CLIP_INTERPRET_CACHE: cache }, DEMO_IMAGES),
});
const answers: Record<string, unknown> = {};
const files: Record<string, string> = {};
const pictures: Record<string, PageFacts["pictures"][string]> = {};
const ask = async <T>(path: string, body?: unknown): Promise<T> => {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const headers = { "content-type": "application/json" };
  const response = await fetch(new URL(`.${path}`, server.url), { ...sent, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};
const query = (asked: Record<string, string>) => new URLSearchParams(asked).toString();
/** Runs a job to its end. */
const work = async (kind: "prepare" | "atlas") => {
  let job = await ask<JobView>("/api/jobs", { kind, corpus: DEMO, model: DEFAULT_MODEL });
  while (job.state === "queued" || job.state === "running") {
    await setTimeout(200);
    job = await ask<JobView>(`/api/jobs/${job.id}`);
  }
  if (job.state !== "done") throw new Error(`${kind}: ${JSON.stringify(job.error)}`);
};
/** Answers that few ask for are files of their own. */
const write = async (path: string) => {
  const address = `answers/${path.replace(/\?.*/, "").slice("/api/".length).replaceAll("/", "-")}.json`;
  await mkdir(join(PAGE, "answers"), { recursive: true });
  await writeFile(join(PAGE, address), JSON.stringify(await ask(path)));
  files[path] = address;
};
await work("prepare");
await work("atlas");

const app = await ask<App>("/api/app");
answers["/api/app"] = { ...app, reports: [] };
for (const corpus of CORPORA) {
  const { images } = await ask<CorpusImages>(`/api/corpora/${corpus}/images?offset=0&limit=${DEMO_IMAGES}`);
  await mkdir(join(PAGE, "pictures", corpus), { recursive: true });
  for (const { image, path, label, factors } of images) {
    const address = `pictures/${corpus}/${basename(path)}`;
    const about = `/api/images/${encodeURIComponent(image)}`;
    const file = await fetch(new URL(`.${about}/file`, server.url));
    if (!file.ok) throw new Error(`${image}: ${file.status}`);
    await writeFile(join(PAGE, address), new Uint8Array(await file.arrayBuffer()));
    pictures[image] = { address, path, label, factors };
    // What is looked at first is known at once: nothing can be asked about it before.
    if (corpus !== DEMO) answers[about] = await ask(about);
  }
}
const listed = await ask<{ models: { name: string }[] }>("/api/models");
const KNOWN = KNOWN_MODELS.map(({ name }) => name);
answers["/api/models"] = {
  ...listed,
  // What is on the machine that built the page is not in it.
  models: listed.models
    .filter(({ name }) => name in models || KNOWN.includes(name))
    .map((one) => ({ ...one, present: one.name in models, folder: null })),
};
for (const model of EMBEDDED_MODELS) {
  const { corpora } = await ask<Corpora>(`/api/corpora?${query({ model })}`);
  answers[`/api/corpora?${query({ model })}`] = {
    corpora: corpora.filter(({ name }) => CORPORA.includes(name)),
  };
  answers[`/api/model?${query({ name: model })}`] = await ask(`/api/model?${query({ name: model })}`);
  answers[`/api/labels?${query({ model })}`] = await ask(`/api/labels?${query({ model })}`);
  for (const corpus of CORPORA) {
    const path = `/api/properties?${query({ model, corpus })}`;
    answers[path] = await ask(path);
  }
}
const over = query({ model: DEFAULT_MODEL, corpus: DEMO });
await write(`/api/insights?${over}`);
await write(`/api/atlas?${over}`);
const state = JSON.parse(await readFile(join(PAGE, "answers/atlas.json"), "utf8")) as AtlasState;
if (state.state !== "ready") throw new Error("the atlas is not there");
for (const { name } of state.atlas.heads) await write(`/api/atlas/heads/${name}?${over}`);

const manifests = (await readdir(cache, { recursive: true })).filter((path) =>
  path.endsWith("manifest.json"),
);
if (manifests.length !== 1) throw new Error(`one index, not ${manifests.join(", ")}`);
const index = `index/${DEMO}`;
await cp(join(cache, dirname(manifests[0]!)), join(PAGE, index), {
  recursive: true,
  filter: (path) => !path.endsWith(".lock"),
});
const indexes = { [`${DEMO} ${DEFAULT_MODEL}`]: index };
await server.close();
const facts = { answers, files, indexes, pools, pictures, models, hub, hosts };

const all = (await readdir(PAGE, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(PAGE.length + 1)
      .replaceAll("\\", "/"),
  )
  .sort();
/** What a visit without a network needs: all but the models that few look at, and what is for other pages. */
const needed = all
  // What few need is kept when it was needed: what computes on a GPU, too.
  .filter((path) => !path.includes("webgpu"))
  .filter((path) => !path.startsWith("models/") || path.startsWith(`models/${DEFAULT_MODEL}/`))
  // Many, and kept when they are seen.
  .filter(
    (path) =>
      !["view.js", "licenses.md"].includes(path) &&
      !path.startsWith("tokenizer/") &&
      !path.startsWith(`pictures/${DEMO}/`),
  );
const hash = createHash("sha256").update(JSON.stringify(facts));
for (const path of needed) hash.update(path).update(await readFile(join(PAGE, path)));
const version = hash.digest("hex").slice(0, 16);
await writeFile(join(PAGE, "page.json"), JSON.stringify({ version, ...facts }));
const keep = await readFile(join(ROOT, "web/src/tab/keep.js"), "utf8");
// The service worker unpacks the runtime by itself.
const apart = ["index.html", "runtime.wasm.gz"];
const kept = ["./", "page.json", ...needed.filter((path) => !apart.includes(path))];
const others = all.filter((path) => !kept.includes(path));
const said = Object.entries({ VERSION: version, KEPT: kept, OTHERS: others }).map(
  ([name, value]) => `const ${name} = ${JSON.stringify(value, null, 2)};\n`,
);
await writeFile(join(PAGE, "keep.js"), said.join("") + keep);
console.log(`dist/page: ${kept.length} files for a first visit`);
process.exit(0);
