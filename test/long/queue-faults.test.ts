import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../src/cluster/redis.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { repositoryPath, runOk, sharedFolder } from "../e2e/cli.ts";
import { expectSameIndex } from "../support/index-contents.ts";
import { startWorker, treeOf, type Watched, watch } from "../support/queue-run.ts";
import { missing, type RedisServer, startRedis } from "../support/redis.ts";

const IMAGES = 300;

it.runIf(missing !== undefined && process.env.CI)("has a Redis in CI", () => expect(missing).toBeUndefined());

describe.skipIf(missing !== undefined)(`faults of a queue${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const path = sharedFolder();
  let redis: RedisServer;
  let index: string;
  let count = 0;
  const processes = new Set<Watched>();
  const keep = (one: Watched) => {
    processes.add(one);
    return one;
  };
  const plan = (parts: number, more: readonly string[] = [], images = path("corpus")) =>
    keep(
      watch([
        "index",
        images,
        "--out",
        index,
        "--queue",
        redis.url,
        "--parts",
        `${parts}`,
        "--json",
        ...more,
      ]),
    );
  const worker = (more: readonly string[] = [], env: Record<string, string> = {}) =>
    keep(startWorker(redis.url, more, env));
  /** Expects a planner to end well, and the index to be what one process makes. */
  const expectDone = async (planner: Watched, wanted = path("one.index")) => {
    const { code, stderr } = await planner.result;
    expect(code, stderr).toBe(0);
    await expectSameIndex(index, wanted);
    expect((await readdir(index)).sort()).toEqual(["manifest.json", "shards"]);
  };

  beforeAll(async () => {
    const indices = Array.from({ length: IMAGES }, (_, i) => i);
    await writeCorpus(path("corpus"), await planCorpus({ split: "demo", size: 64, indices }));
    await runOk(["index", path("corpus"), "--out", path("one.index")], { timeout: 600_000, apart: true });
  }, 900_000);
  beforeEach(async () => {
    index = path(`${++count}.index`);
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const one of processes) await one.kill();
    processes.clear();
    await redis.close();
    await rm(index, { recursive: true, force: true });
  });

  it("workers that are killed in the middle of a part leave it to others", async () => {
    const planner = plan(6);
    for (let killed = 0; killed < 6; killed++) {
      const one = worker();
      await one.says("part taken");
      await sleep(300 * killed);
      await one.kill();
    }
    worker();
    await expectDone(planner);
  });

  it.each(["restarted", "restarted empty", "flushed"])(
    "Redis is %s while parts are computed",
    async (fault) => {
      const planner = plan(6);
      worker();
      const second = worker();
      await second.says("part taken");
      if (fault === "flushed") await redis.command("FLUSHALL");
      else {
        await redis.stop(fault === "restarted" ? "keep" : undefined);
        await redis.start();
      }
      await expectDone(planner);
    },
  );

  it("Redis is away for longer than a lease: all wait, say so, and go on", async () => {
    const planner = plan(6);
    const one = worker(["--listen", "0", "--log", "json"]);
    const [, at] = /"listen":"([^"]+)"/.exec(await one.says("part taken"))!;
    await redis.stop("keep");
    await planner.says("QUEUE_UNREACHABLE");
    await one.says("QUEUE_UNREACHABLE");
    const ready = await fetch(`${at}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, "Redis does not answer\n"]);
    expect((await fetch(`${at}/healthz`)).status).toBe(200);
    await sleep(15_000);
    await redis.start();
    await planner.says("is back");
    await expectDone(planner);
  });

  it("without a Redis at first, planner and worker end and say so", async () => {
    await redis.stop();
    for (const one of [plan(2), worker()]) {
      const { code, stderr } = await one.result;
      expect([code, stderr]).toEqual([1, expect.stringContaining("QUEUE_UNREACHABLE")]);
    }
    expect(existsSync(index)).toBe(false);
    await redis.start();
  });

  it("a worker that is stopped past its lease, and wakes, does no harm", async () => {
    const planner = plan(2);
    const sleeper = worker();
    await sleeper.says("part taken");
    const [, part] = /part=(\d)\/2/.exec(sleeper.said())!.map((number) => `${number}-of-2`);
    while (!existsSync(join(index, "parts", part, "journal/underway"))) await sleep(5);
    const asleep = treeOf(sleeper.child.pid!);
    for (const pid of asleep) process.kill(pid, "SIGSTOP");
    // The part's own lock would be taken over after a minute without a beat; its time says so now.
    await utimes(join(index, "parts", part, ".lock"), new Date(0), new Date(0));
    worker();
    await expectDone(planner);
    for (const pid of asleep) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGCONT");
    await sleeper.says(/did not hear|the queue:|part done/);
    await sleep(3000);
    await sleeper.kill("SIGTERM");
    await expectDone(planner);
  });

  it("a worker of other weights under the same name is refused, and its part is left to others", async () => {
    const folder = path("model");
    await cp(repositoryPath("models/emoji-4x128-p8"), folder, { recursive: true, dereference: true });
    const planner = plan(2, ["--model", folder]);
    while (!existsSync(join(index, "parts"))) await sleep(20);
    await sleep(500);
    const file = (await readdir(folder)).find((name) => name.endsWith(".safetensors"))!;
    const weights = await readFile(join(folder, file));
    const spoilt = Buffer.from(weights);
    spoilt[spoilt.length - 2] ^= 1;
    await writeFile(join(folder, file), spoilt);
    const other = worker();
    expect(await other.says(/INDEX_MISMATCH|CHECKPOINT/)).toMatch(/weights/);
    await planner.says("WORKER_REFUSED");
    await writeFile(join(folder, file), weights);
    worker();
    await expectDone(planner, path("one.index"));
  });

  it("what another version planned is left to workers of that version", async () => {
    const planner = plan(2);
    const { redis: client, close } = await connect(redis.url, () => {});
    const keys = async () =>
      (await client.keys("bull:*:part-*-of-2")).filter((key) => !key.endsWith(":lock"));
    while ((await keys()).length < 2) await sleep(20);
    const planned = new Map<string, string>();
    for (const key of await keys()) {
      const data = (await client.hget(key, "data"))!;
      planned.set(key, data);
      await client.hset(key, "data", data.replace(/"version":"[^"]+"/, '"version":"99.0.0"'));
    }
    const one = worker();
    expect(await one.says("WORKER_REFUSED")).toContain("planned by version 99.0.0");
    await planner.says("WORKER_REFUSED");
    expect(await keys()).toHaveLength(2);
    for (const [key, data] of planned) await client.hset(key, "data", data);
    close();
    worker();
    await expectDone(planner);
  });

  it("a worker whose clock is an hour ahead computes like any other", async () => {
    const planner = plan(4);
    const odd = worker([], { NODE_OPTIONS: `--import ${repositoryPath("test/support/odd-clock.mjs")}` });
    const other = worker();
    await Promise.all([odd.says("part done"), other.says("part done")]);
    await odd.kill();
    await expectDone(planner);
    expect(odd.said() + other.said()).not.toMatch(/INDEX_GONE|died/);
  });

  it("an image that kills its process each time is set aside after four, and named", async () => {
    const images = path("poisoned");
    await cp(path("corpus/images"), images, { recursive: true });
    const [some] = (await readdir(images)).filter((name) => name.endsWith(".png")).slice(150);
    await cp(join(images, some), join(images, "poison.png"));
    const planner = plan(3, [], images);
    const one = worker([], { NODE_OPTIONS: `--import ${repositoryPath("test/support/poison.mjs")}` });
    const { code, stdout, stderr } = await planner.result;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rejected: 1 });
    expect(one.said().match(/SIGKILL/g)).toHaveLength(4);
    const made = await readIndex(index);
    expect(made.rejected).toMatchObject([{ path: "poison.png", code: "IMAGE_FATAL" }]);
    await rm(join(images, "poison.png"));
    await runOk(["index", images, "--out", path("healthy.index")], { timeout: 600_000, apart: true });
    const healthy = await readIndex(path("healthy.index"));
    expect(made.images.map((row) => row.sha256).sort()).toEqual(
      healthy.images.map((row) => row.sha256).sort(),
    );
  });
});
