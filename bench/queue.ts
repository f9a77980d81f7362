/**
 * One process beside one and two workers: `npm run bench:queue [images] [rounds]`, after a build, with a redis-server; two minutes on a
 * machine that does nothing else. Every process has one thread of the encoder and, where there is `taskset` (Linux), one core: the
 * planner shares that of the first worker. Beside two workers stand two processes that know nothing of each other and do half of the
 * images each: what the machine itself loses with two cores at work. Variants alternate, and ratios are of their medians. Core
 * seconds are what all processes took of the cores together, start and end included; they hold on a busy machine too.
 */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { planCorpus, writeCorpus } from "../src/world/corpus.ts";
import { startRedis } from "../test/support/redis.ts";
import { ratio } from "./ratio.ts";

const [images = "3000", rounds = "3", parts = "8"] = process.argv.slice(2);
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const work = await mkdtemp(join(tmpdir(), "clip-interpret-queue-"));
const redis = await startRedis();
const pins = spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;

/** Starts the program on a core. */
function run(core: number, ...args: string[]) {
  const [program, ...words] = [
    ...(pins ? ["taskset", "-c", `${core}`] : []),
    ...[process.execPath, MAIN, ...args, "--threads", "1"],
  ];
  const child = spawn(program, words, { stdio: "ignore" });
  const ended = new Promise<void>((resolve, reject) =>
    child.once("exit", (code) => (code ? reject(new Error(`${args[0]} ended with ${code}`)) : resolve())),
  );
  return { child, ended };
}

/** Seconds that the cores worked for processes which this one started, and for theirs, once they have ended; Linux alone says so. */
function coreSeconds(): number {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return Number.NaN;
  }
}

const indices = Array.from({ length: Number(images) }, (_, i) => i);
await writeCorpus(join(work, "corpus"), await planCorpus({ split: "demo", size: 64, indices }));
const halves = ["a", "b"].map((name) => join(work, name));
for (const half of halves) await mkdir(half);
for (const [i, name] of (await readdir(join(work, "corpus/images"))).entries())
  await rename(join(work, "corpus/images", name), join(halves[i % 2], name));

/** The variants; each ends when its index is whole. */
const VARIANTS = {
  "one process": { workers: 0, index: (out: string) => [run(0, "index", ...halves, "--out", out)] },
  "1 worker": { workers: 1, index: planned },
  "2 workers": { workers: 2, index: planned },
  "two processes, half each": {
    workers: 0,
    index: (out: string) => halves.map((half, i) => run(i, "index", half, "--out", `${out}-${i}`)),
  },
};
type Name = keyof typeof VARIANTS;
const names = Object.keys(VARIANTS) as Name[];

function planned(out: string) {
  return [run(0, "index", ...halves, "--out", out, "--queue", redis.url, "--parts", parts)];
}

/** Seconds on the clock for one index, with workers that wait already, and of the cores, workers' starts left out. */
async function measure(name: Name) {
  const { workers, index } = VARIANTS[name];
  const folder = await mkdtemp(join(work, "index-"));
  const started = Array.from({ length: workers }, (_, i) => run(i, "worker", "--queue", redis.url));
  if (workers > 0) await new Promise((resolve) => setTimeout(resolve, 3000));
  const before = started.reduce((sum, { child }) => sum + coresOf(child.pid!), 0);
  const [from, cores] = [performance.now(), coreSeconds()];
  for (const { ended } of index(join(folder, "index"))) await ended;
  const seconds = (performance.now() - from) / 1000;
  for (const { child, ended } of started) {
    child.kill("SIGTERM");
    await ended;
  }
  await rm(folder, { recursive: true });
  return { seconds, cores: coreSeconds() - cores - before };
}

/** Core seconds of a process that runs. */
function coresOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const taken = new Map(names.map((name) => [name, [] as Awaited<ReturnType<typeof measure>>[]]));
for (let round = 0; round < Number(rounds); round++)
  for (const name of names) taken.get(name)!.push(await measure(name));
const of = (name: Name) => {
  const all = taken.get(name)!;
  return { seconds: median(all.map((one) => one.seconds)), cores: median(all.map((one) => one.cores)) };
};
for (const name of names) {
  const { seconds, cores } = of(name);
  console.log(`${name.padEnd(26)} ${seconds.toFixed(1)} s, ${cores.toFixed(1)} core seconds`);
}
console.log(
  `${images} images in ${parts} parts${pins ? ", a core each" : ""}; shares of what linear would be:`,
);
const shares: readonly (readonly [what: string, took: number, beside: string, besideTook: number])[] = [
  ["1 worker", of("1 worker").seconds, "one process", of("one process").seconds],
  ["2 workers, seconds twice", 2 * of("2 workers").seconds, "one process", of("one process").seconds],
  ["2 workers", of("2 workers").seconds, "two processes", of("two processes, half each").seconds],
  ["1 worker, core seconds", of("1 worker").cores, "one process", of("one process").cores],
  ["2 workers, core seconds", of("2 workers").cores, "one process", of("one process").cores],
];
for (const [what, took, beside, besideTook] of shares) {
  console.log(`  ${what} beside ${beside}: ${(besideTook / took).toFixed(3)}`);
  ratio({ what: `${parts} parts, ${what}`, took, unit: "s", beside, besideTook });
}

await redis.command("CONFIG RESETSTAT");
await measure("1 worker");
const calls = await redis.command("INFO commandstats");
const total = [...calls.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].reduce(
  (sum, [, , count]) => sum + Number(count),
  0,
);
console.log(`Redis commands: ${total} for ${parts} parts, those that scripts call included`);
await redis.close();
await rm(work, { recursive: true });
