/**
 * Builds the app that needs no server of its own into `dist/page`: files with relative addresses, for any web server. What is
 * the same for all visitors is answered by files, which the server itself writes here.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { DEFAULT_MODEL, EMBEDDED_MODELS } from "../src/model/embedded.ts";
import type { App, Corpora, CorpusImages } from "../src/results/app.ts";
import { startServer } from "../src/server/serve.ts";
import { startEngine } from "../src/server/threads/engine.ts";
import { sha256Of } from "../src/support/hash.ts";
import type { PageFacts } from "../src/tab/facts.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PAGE = join(ROOT, "dist/page");
/** The pictures that come with it. */
const SCENES = "scenes";
const WEIGHTS = "open_clip_model.safetensors";
const MODEL_FILES = ["open_clip_config.json", WEIGHTS, "tokenizer.json"];

/** Nothing but the page's own files; WebAssembly, since models run in it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
].join("; ");

await build({ configFile: join(ROOT, "web/page.config.ts"), mode: "page", logLevel: "warn" });
await rename(join(PAGE, "tab.html"), join(PAGE, "index.html"));
const html = await readFile(join(PAGE, "index.html"), "utf8");
await writeFile(join(PAGE, "index.html"), html.replace("%POLICY%", POLICY));

const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
await writeFile(join(PAGE, "runtime.wasm.gz"), gzipSync(await readFile(wasm), { level: 9 }));

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

const cache = await mkdtemp(join(tmpdir(), "page-"));
const server = await startServer({ models: await startEngine(), served: [DEFAULT_MODEL], cache });
const answers: Record<string, unknown> = {};
const ask = async <T>(path: string): Promise<T> => {
  const response = await fetch(new URL(`.${path}`, server.url));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};
const app = await ask<App>("/api/app");
const { images } = await ask<CorpusImages>(`/api/corpora/${SCENES}/images?offset=0&limit=200`);
const pictures: Record<string, PageFacts["pictures"][string]> = {};
for (const { image, path, label, factors } of images) {
  const address = `pictures/${basename(path)}`;
  await cp(join(ROOT, "examples/scenes", path), join(PAGE, address));
  pictures[image] = { address, path, label, factors };
}
answers["/api/app"] = { ...app, defaultCorpus: SCENES, reports: [] };
const listed = await ask<{ models: { name: string }[] }>("/api/models");
answers["/api/models"] = {
  ...listed,
  models: listed.models.filter(({ name }) => name in models),
};
for (const model of EMBEDDED_MODELS) {
  const query = new URLSearchParams({ model }).toString();
  const { corpora } = await ask<Corpora>(`/api/corpora?${query}`);
  answers[`/api/corpora?${query}`] = { corpora: corpora.filter(({ name }) => name === SCENES) };
  answers[`/api/labels?${query}`] = await ask(`/api/labels?${query}`);
  const over = new URLSearchParams({ model, corpus: SCENES }).toString();
  answers[`/api/properties?${over}`] = await ask(`/api/properties?${over}`);
}
await server.close();
await rm(cache, { recursive: true, force: true });

/** What a visit without a network needs: all but the models that few look at. */
const files = (await readdir(PAGE, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(PAGE.length + 1)
      .replaceAll("\\", "/"),
  )
  .filter((path) => !path.startsWith("models/") || path.startsWith(`models/${DEFAULT_MODEL}/`))
  .sort();
const hash = createHash("sha256").update(JSON.stringify({ answers, pictures, models }));
for (const path of files) hash.update(path).update(await readFile(join(PAGE, path)));
const version = hash.digest("hex").slice(0, 16);
await writeFile(join(PAGE, "page.json"), JSON.stringify({ version, answers, pictures, models }));
const keep = await readFile(join(ROOT, "web/src/tab/keep.js"), "utf8");
// The service worker unpacks the runtime by itself.
const apart = ["index.html", "runtime.wasm.gz"];
const kept = ["./", "page.json", ...files.filter((path) => !apart.includes(path))];
const said = `const VERSION = ${JSON.stringify(version)};\nconst KEPT = ${JSON.stringify(kept, null, 2)};\n`;
await writeFile(join(PAGE, "keep.js"), said + keep);
console.log(`dist/page: ${kept.length} files for a first visit`);
process.exit(0);
