/**
 * One process beside one and two workers: `npm run bench:queue [images] [rounds]`, after a build and with a redis-server. Each has one
 * thread of the encoder a process; the three alternate, and ratios are of their medians. It says too what Redis was asked.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { planCorpus, writeCorpus } from "../src/world/corpus.ts";
import { startRedis } from "../test/support/redis.ts";
import { ratio } from "./ratio.ts";

const [images = "2000", rounds = "3"] = process.argv.slice(2);
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const work = await mkdtemp(join(tmpdir(), "clip-interpret-queue-"));
const redis = await startRedis();
const run = (...args: string[]) => {
  const child = spawn(process.execPath, [MAIN, ...args, "--threads", "1"], { stdio: "ignore" });
  const ended = new Promise<void>((resolve, reject) =>
    child.once("exit", (code) => (code ? reject(new Error(`${args[0]} ended with ${code}`)) : resolve())),
  );
  return { child, ended };
};
const indices = Array.from({ length: Number(images) }, (_, i) => i);
await writeCorpus(join(work, "corpus"), await planCorpus({ split: "demo", size: 64, indices }));
const parts = 8;

/** Seconds for one index, with a number of workers that wait already; 0 is one process without a queue. */
async function measure(workers: number): Promise<number> {
  const started = Array.from({ length: workers }, () => run("worker", "--queue", redis.url));
  if (workers > 0) await new Promise((resolve) => setTimeout(resolve, 3000));
  const out = join(work, "index");
  const queue = workers > 0 ? ["--queue", redis.url, "--parts", `${parts}`] : [];
  const from = performance.now();
  await run("index", join(work, "corpus"), "--out", out, ...queue).ended;
  const seconds = (performance.now() - from) / 1000;
  for (const { child, ended } of started) {
    child.kill("SIGTERM");
    await ended;
  }
  await rm(out, { recursive: true });
  return seconds;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const times: Record<number, number[]> = { 0: [], 1: [], 2: [] };
for (let round = 0; round < Number(rounds); round++)
  for (const workers of [0, 1, 2]) times[workers].push(await measure(workers));
const [one, single, double] = [0, 1, 2].map((workers) => median(times[workers]));
console.log(
  `one process ${one.toFixed(1)} s; 1 worker ${single.toFixed(1)} s (${(one / single).toFixed(2)} of it)`,
);
console.log(`2 workers ${double.toFixed(1)} s: ${(single / double).toFixed(2)} times one worker`);

const scenes = `${parts} parts of a corpus`;
for (const [what, took, beside, besideTook] of [
  [`${scenes}, 1 worker`, single, "one process", one],
  [`${scenes}, 2 workers, each second twice`, 2 * double, "1 worker", single],
] as const)
  ratio({ what, took, unit: "s", beside, besideTook });

await redis.command("CONFIG RESETSTAT");
await measure(1);
const calls = await redis.command("INFO commandstats");
const total = [...calls.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].reduce(
  (sum, [, , count]) => sum + Number(count),
  0,
);
console.log(`Redis commands: ${total} for ${parts} parts, those that scripts call included`);
await redis.close();
await rm(work, { recursive: true });
