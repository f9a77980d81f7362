import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { Random } from "../../src/math/random.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { sharedFolder, startCli } from "../e2e/cli.ts";

const IMAGES = 1500;
const SHARD_SIZE = 60;
const KILLS = 100;

const shared = sharedFolder();
const start = (index: string) => {
  const args = ["index", shared("corpus"), "--out", index, "--shard-size", `${SHARD_SIZE}`, "--json"];
  return startCli(args, { timeout: 600_000 });
};

/** The files of the index that nothing has disturbed, and how many milliseconds it took to make. */
let undisturbed: Record<string, string>;
let duration: number;

beforeAll(async () => {
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(shared("corpus"), await planCorpus({ split: "demo", size: 64, indices }));
  const index = shared("index");
  const started = start(index);
  await begun(index, started);
  const from = performance.now();
  expect(await started.result).toMatchObject({ code: 0, stderr: "" });
  duration = performance.now() - from;
  undisturbed = await filesOf(index);
}, 900_000);

/** Waits until a run has made an index its own, or has ended. A run that was killed leaves its lock behind. */
async function begun(index: string, { child }: ReturnType<typeof start>): Promise<void> {
  const lock = () => readFile(join(index, ".lock"), "utf8").catch(() => "");
  while (child.exitCode === null && !(await lock()).includes(`"pid":${child.pid},`)) await sleep(2);
}

/** A checksum of each file that makes up an index. */
async function filesOf(index: string): Promise<Record<string, string>> {
  const shards = (await readdir(join(index, "shards"), { recursive: true })).map((name) => `shards/${name}`);
  const files: Record<string, string> = {};
  for (const name of ["manifest.json", ...shards.sort()]) {
    if (!(await stat(join(index, name))).isFile()) continue;
    const bytes = await readFile(join(index, name));
    // Where an index lies decides how it writes down where its images do, and nothing else.
    const content = name === "manifest.json" ? bytes.toString().replace(/"root": ".*"/, "") : bytes;
    files[name] = createHash("sha256").update(content).digest("hex");
  }
  return files;
}

/** Expects an index that was left at any moment to open, and to hold whole shards. Returns how many images. */
async function expectWhole(index: string, where: string): Promise<number> {
  if (!existsSync(join(index, "manifest.json"))) return 0;
  const warnings: ProgressEvent[] = [];
  const { images } = await readIndex(index, { report: (event) => void warnings.push(event) });
  expect([images.length % SHARD_SIZE, warnings], where).toEqual([0, []]);
  return images.length;
}

it("an index survives kill -9 a hundred times, each time goes on from there, and ends as the same bytes", {
  timeout: 3_600_000,
}, async () => {
  let [killed, finished, held] = [0, 0, 0];
  let unfinished = false;
  // Runs are killed one after another on the same index until one gets to the end; then the next index begins.
  for (let seed = 0; killed < KILLS || unfinished; seed++) {
    const index = shared(`index-${finished}`);
    const started = start(index);
    const { child, result } = started;
    await begun(index, started);
    const moment = (new Random(100, seed).unit() * duration) / 4;
    if (killed < KILLS) {
      await Promise.race([sleep(moment), result]);
      child.kill("SIGKILL");
    }
    const { code, stderr } = await result;
    const where = `seed ${seed}, after ${moment.toFixed(0)} ms, kill ${killed} of index ${finished}`;
    unfinished = code === null;
    if (unfinished) {
      killed++;
      const now = await expectWhole(index, where);
      expect(now, `${where}: a shard that was listed is gone`).toBeGreaterThanOrEqual(held);
      held = now;
      continue;
    }
    expect({ code, stderr }, where).toEqual({ code: 0, stderr: "" });
    expect(await filesOf(index), where).toEqual(undisturbed);
    expect((await readdir(index)).sort(), where).toEqual(["manifest.json", "shards"]);
    await rm(index, { recursive: true });
    finished++;
    held = 0;
  }
  expect(killed).toBe(KILLS);
  expect(finished).toBeGreaterThan(1);
});
