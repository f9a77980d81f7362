/**
 * Whether the server stalls while it works: `npm run bench:stall [model folder] [images] [rounds]`, after a build. A job indexes
 * pictures with a model of the shape of ViT-B/32 (random weights, unless a folder is given) while one client asks what a
 * page asks. The job is started and stopped again, so that answers beside it and answers without it alternate in one run.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { Random } from "../src/math/random.ts";
import type { App, JobView } from "../src/results/app.ts";
import { goldenPath } from "../test/support/goldens.ts";
import { writeTrueCheckpoint } from "../test/support/true-checkpoints.ts";
import { ratio } from "./ratio.ts";
import { startServe } from "./serve.ts";

const [given = "", images = "2000", rounds = "12"] = process.argv.slice(2);
const PAIRS = 4;
const repository = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const work = await mkdtemp(join(tmpdir(), "clip-interpret-stall-"));
const folder = given || join(work, "model");
if (!given) {
  await writeTrueCheckpoint(folder, { name: "model", shape: "ViT-B-32" });
  await writeFile(join(folder, "tokenizer.json"), await readFile(goldenPath("tokenizer/tokenizer.json")));
}

/** Pictures as cameras make them, each another piece of a photograph. */
const random = new Random(1, 0);
const photos = (await readdir(repository("examples/photos"))).filter((name) => name.endsWith(".jpg"));
async function photo(): Promise<Buffer> {
  const source = sharp(repository(`examples/photos/${photos[random.below(photos.length)]}`));
  const { width, height } = await source.metadata();
  const [w, h] = [Math.floor(width * 0.8), Math.floor(height * 0.8)];
  return source
    .extract({ left: random.below(width - w), top: random.below(height - h), width: w, height: h })
    .modulate({ brightness: 0.7 + random.below(600) / 1000 })
    .resize(640, 480, { fit: "fill" })
    .jpeg()
    .toBuffer();
}
await mkdir(join(work, "pictures"));
for (let i = 0; i < Number(images); i++)
  await writeFile(join(work, "pictures", `${String(i).padStart(5, "0")}.jpg`), await photo());

const { child, url } = await startServe(["--model", folder, "--root", work], join(work, "cache"));

async function ask<T>(path: string, body?: object | Buffer, method = body ? "POST" : "GET"): Promise<T> {
  const isFile = Buffer.isBuffer(body);
  const response = await fetch(new URL(path, url), {
    method,
    headers: { "content-type": isFile ? "application/octet-stream" : "application/json" },
    ...(body && { body: isFile ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`);
  return (response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text) as T;
}

const { defaultModel: model } = await ask<App>("api/app");
const texts = ["a photo of a dog", "a photo of a pizza"];
const upload = async () => (await ask<{ image: string }>("api/images", await photo())).image;
const kept = await upload();
const page = await ask<string>("");
const [script] = /assets\/[\w.-]+\.js/.exec(page) ?? [];

/** What is measured, in turn, so often a round. */
const KINDS = {
  "a cached answer": [5, () => ask("api/explain", { model, image: kept, texts })],
  "a static file": [3, () => ask(script!)],
  "a new photo": [1, async (image: string) => ask("api/explain", { model, image, texts })],
} as const;
type Kind = keyof typeof KINDS;
const took: Record<"alone" | "beside the job", Record<Kind, number[]>> = {
  alone: { "a cached answer": [], "a static file": [], "a new photo": [] },
  "beside the job": { "a cached answer": [], "a static file": [], "a new photo": [] },
};

async function measure(when: keyof typeof took, count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    for (const [kind, [times, run]] of Object.entries(KINDS) as [Kind, (typeof KINDS)[Kind]][]) {
      for (let i = 0; i < times; i++) {
        const image = kind === "a new photo" ? await upload() : kept;
        const start = performance.now();
        await run(image);
        took[when][kind].push(performance.now() - start);
      }
    }
  }
}

let done = 0;
let seconds = 0;
const memory = async () => {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1e3;
};
// The first answers load what the others use.
await measure("alone", 2);
for (const times of Object.values(took.alone)) times.length = 0;
for (let pair = 0; pair < PAIRS; pair++) {
  await measure("alone", Number(rounds));
  const { job } = await ask<{ job: JobView }>("api/corpora", {
    root: baseName(work),
    path: "pictures",
    model,
  });
  const now = () => ask<JobView>(`api/jobs/${job.id}`);
  let view = await now();
  while (view.task !== "indexing" || view.done === 0) {
    if (view.state === "failed" || view.state === "done")
      throw new Error(`the job ended: ${view.error?.message}`);
    await new Promise((go) => setTimeout(go, 50));
    view = await now();
  }
  const [start, before] = [performance.now(), view.done];
  await measure("beside the job", Number(rounds));
  view = await now();
  if (view.state !== "running") throw new Error(`the job is ${view.state}: give it more images`);
  done += view.done - before;
  seconds += (performance.now() - start) / 1000;
  await ask(`api/jobs/${job.id}`, undefined, "DELETE");
  while ((await now()).state === "running") await new Promise((go) => setTimeout(go, 50));
}

const at = (times: readonly number[], share: number) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(share * times.length))];
console.log("| asked | alone p50 | p95 | beside the job p50 | p95 | longest | p95 ratio |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const kind of Object.keys(KINDS) as Kind[]) {
  const [alone, beside] = [took.alone[kind], took["beside the job"][kind]];
  const cells = [at(alone, 0.5), at(alone, 0.95), at(beside, 0.5), at(beside, 0.95), at(beside, 1)];
  const slower = at(beside, 0.95) / at(alone, 0.95);
  ratio({
    ...{ what: `${kind} beside an indexing job, p95`, took: at(beside, 0.95) },
    ...{ beside: "the same alone", besideTook: at(alone, 0.95) },
  });
  console.log(`| ${kind} | ${cells.map((ms) => `${ms.toFixed(1)} ms`).join(" | ")} | ${slower.toFixed(2)} |`);
}
console.log(
  `The job: ${(done / seconds).toFixed(1)} images a second. Memory: ${(await memory()).toFixed(0)} MB.`,
);
child.kill("SIGINT");
await new Promise((resolve) => child.once("exit", resolve));
await rm(work, { recursive: true, force: true });

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
