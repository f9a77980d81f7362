/**
 * Many people at once: `npm run bench:app [seconds] [clients]`. Every client looks at pictures of the demo corpus one after another
 * and asks what the page asks: the parts of a score, every head's tokens, maps, neighbours; texts are partly new ones. Waits for
 * each answer and asks on at once. Prints how long answers took, by kind; any error ends it with exit code 1.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../src/math/random.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { startServer } from "../src/server/serve.ts";
import { startEngine } from "../src/server/threads/engine.ts";

const [seconds = 60, clients = 32] = process.argv.slice(2).map(Number);
const model = DEFAULT_MODEL;
const cache = await mkdtemp(join(tmpdir(), "clip-interpret-bench-"));
const models = startEngine();
const faults: unknown[] = [];
const server = await startServer({
  models,
  served: [model],
  cache,
  onFault: (error) => faults.push(error),
});
const took = new Map<string, number[]>();
const errors: string[] = [];

async function ask<T>(kind: string, path: string, body?: object, client = "bench"): Promise<T | undefined> {
  const start = performance.now();
  const response = await fetch(new URL(path, server.url), {
    headers: { "content-type": "application/json", "x-client": client },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  took.set(kind, [...(took.get(kind) ?? []), performance.now() - start]);
  if (!response.ok) {
    errors.push(`${kind}: ${response.status} ${bytes.toString().slice(0, 200)}`);
    return undefined;
  }
  return response.headers.get("content-type")?.includes("json") ? JSON.parse(bytes.toString()) : undefined;
}

const { id } = (await ask<{ id: string }>("prepare", "/api/jobs", {
  kind: "prepare",
  corpus: "demo",
  model,
}))!;
for (;;) {
  const job = await ask<{ state: string }>("job", `/api/jobs/${id}`);
  if (job?.state === "done") break;
  if (job?.state === "failed") throw new Error("the corpus could not be made");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
const { images } = (await ask<{ images: { image: string; label: string }[] }>(
  "list",
  "/api/corpora/demo/images?limit=200",
))!;
took.clear();

const COLOURS = ["red", "green", "blue", "yellow", "purple", "gray", "brown", "orange"];
const PLACES = ["at the top", "at the bottom", "on the left", "on the right", "in the middle"];

async function visit(number: number, until: number): Promise<void> {
  const random = new Random(1, number);
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)];
  const client = `client ${number}`;
  const head = () => `L${random.below(4)}.H${random.below(4)}`;
  while (performance.now() < until) {
    const { image, label } = pick(images);
    const texts = [`a ${label} ${pick(PLACES)}`, `a ${label} with a ${pick(COLOURS)} background`];
    await ask("picture", `/api/images/${encodeURIComponent(image)}/picture?side=512`, undefined, client);
    await ask("explain, new picture", "/api/explain", { model, image, texts }, client);
    for (const text of texts) await ask("tokens", "/api/tokens", { model, image, text }, client);
    const more = [...texts, `${random.below(1000)} of them`];
    await ask("explain, another text", "/api/explain", { model, image, texts: more }, client);
    await ask("segment", "/api/segment", { model, image, texts, heads: head(), mode: "contrast" }, client);
    for (const scoring of ["dot", "z"]) {
      const asked = { model, corpus: "demo", query: { image }, heads: head(), k: 8, scoring };
      await ask("neighbours", "/api/neighbors", asked, client);
    }
  }
}

const until = performance.now() + seconds * 1000;
await Promise.all(Array.from({ length: clients }, (_, number) => visit(number, until)));
const all = [...took.values()].flat();
console.log(
  `${clients} clients, ${seconds} s: ${all.length} answers, ${(all.length / seconds).toFixed(0)} a second`,
);
console.log("| asked | answers | p50 ms | p95 ms | most ms |\n| --- | --- | --- | --- | --- |");
for (const [kind, times] of [...took, ["all", all] as const]) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
  console.log(`| ${kind} | ${sorted.length} | ${at(0.5)} | ${at(0.95)} | ${at(1)} |`);
}
console.log(`errors: ${errors.length + faults.length}`);
for (const error of errors.slice(0, 5)) console.log(error);
await server.close();
await models.release();
await rm(cache, { recursive: true, force: true });
process.exitCode = errors.length + faults.length > 0 ? 1 : 0;
