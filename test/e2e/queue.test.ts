import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../src/cluster/redis.ts";
import { QUEUES, queueOf, refusalsOf, WANTED, wantedOf } from "../../src/cluster/run.ts";
import { expectSameIndex } from "../support/index-contents.ts";
import { startWorker, type Watched, watch } from "../support/queue-run.ts";
import { missing, type RedisServer, startRedis } from "../support/redis.ts";
import { repositoryPath, runOk, sharedFolder } from "./cli.ts";

const SCENES = repositoryPath("examples/scenes");
const PASSWORD = "not-to-be-seen";

it.runIf(missing !== undefined && process.env.CI)("has a Redis in CI", () => expect(missing).toBeUndefined());

describe.skipIf(missing !== undefined)(`a queue${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const path = sharedFolder();
  let redis: RedisServer;
  let url: string;
  const processes: Watched[] = [];
  const started = (one: Watched) => {
    processes.push(one);
    return one;
  };

  beforeAll(async () => {
    redis = await startRedis(["--requirepass", PASSWORD]);
    url = redis.url.replace("//", `//:${PASSWORD}@`);
    await runOk(["index", SCENES, "--out", path("one.index")]);
  });
  afterAll(async () => {
    for (const one of processes) await one.kill();
    await redis?.close();
  });

  it("has workers make what one process makes, though planners go, workers are killed, and others do not fit", {
    timeout: 180_000,
  }, async () => {
    const index = path("queue.index");
    const plan = () =>
      started(watch(["index", SCENES, "--out", index, "--queue", url, "--parts", "3", "--json"]));
    // One plans and goes: what it planned stays.
    const first = plan();
    const { redis: client, close } = await connect(url, () => {});
    const waiting = `bull:${queueOf(index)}:wait`;
    while ((await client.llen(waiting)) !== 3) await sleep(20);
    await first.kill("SIGINT");
    const ended = await first.result;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toMatch(/"CANCELLED".*the same command waits for them again/);
    expect(await client.llen(waiting)).toBe(3);

    const planners = [plan(), plan()];
    const unfit = started(startWorker(url, ["--precision", "int8", "--listen", "0", "--log", "json"]));
    const refusal = await unfit.says("WORKER_REFUSED");
    expect(refusal).toMatch(
      /the run is of precision fp32, and this worker was started with --precision int8/,
    );
    const [, unfitAt] = /"listen":"([^"]+)"/.exec(refusal)!;
    expect((await fetch(`${unfitAt}/healthz`)).status).toBe(200);
    const notReady = await fetch(`${unfitAt}/readyz`);
    expect([notReady.status, await notReady.text()]).toEqual([
      503,
      expect.stringContaining("--precision int8"),
    ]);
    await planners[0].says("WORKER_REFUSED");
    expect(await client.llen(waiting)).toBe(3);

    const killed = started(startWorker(url));
    await killed.says("part taken");
    await killed.kill();
    const worker = started(startWorker(url, ["--listen", "0", "--log", "json"]));
    for (const { result } of planners) {
      const { code, stdout } = await result;
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { images: 24, shards: 3, part: null }]);
    }
    await expectSameIndex(index, path("one.index"));

    const said = await worker.says("index complete");
    const lines = said
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const ids = {
      worker: expect.any(String),
      part: expect.stringMatching(/^[123]\/3$/),
      queue: queueOf(index),
    };
    expect(lines.filter(({ msg }) => msg === "part done")[0]).toMatchObject({ level: "info", ...ids });
    const at = lines.find(({ listen }) => listen).listen;
    expect((await fetch(`${at}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${at}/metrics`)).text();
    expect(metrics).toMatch(/^clip_interpret_redis_up 1$/m);
    expect(metrics).toMatch(/^clip_interpret_parts_total\{end="done"\} [123]$/m);
    expect(metrics).toMatch(/^clip_interpret_queue_parts\{state="wait"\} 0$/m);
    const images = Number(/^clip_interpret_images_total (\d+)$/m.exec(metrics)?.[1]);
    expect(images).toBeGreaterThan(0);
    // Redis holds nothing of a run that is over.
    const left = async () => (await client.keys("*")).filter((key) => !key.endsWith(":stalled-check"));
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
    close();
    await worker.kill("SIGTERM");
    expect(processes.map((one) => one.said()).join("")).not.toContain(PASSWORD);
  });

  const plan = (index: string, ...more: string[]) =>
    started(watch(["index", SCENES, "--out", index, "--queue", url, "--parts", "2", "--json", ...more]));

  it("says that workers refuse, and that the index is gone", { timeout: 120_000 }, async () => {
    const index = path("gone.index");
    const planner = plan(index);
    const unfit = started(startWorker(url, ["--precision", "int8"]));
    await unfit.says("WORKER_REFUSED");
    await planner.says(/no worker takes a part: the .* that refused looks? again every minute/);
    await unfit.kill("SIGTERM");
    await rm(index, { recursive: true });
    const { code, stderr } = await planner.result;
    expect([code, stderr]).toEqual([1, expect.stringContaining("INDEX_GONE")]);
  });

  it("has workers look at once at what they refused, where it is planned anew", {
    // Less than the minute after which they would look by themselves.
    timeout: 50_000,
  }, async () => {
    const index = path("again.index");
    // Of another model: what is left of its parts is no part of what comes.
    const first = plan(index, "--model", "emoji-6x192-p8");
    const { redis: client, close } = await connect(url, () => {});
    while ((await client.llen(`bull:${queueOf(index)}:wait`)) !== 2) await sleep(20);
    await first.kill("SIGINT");
    await rm(index, { recursive: true });
    const worker = started(startWorker(url));
    await worker.says("has no manifest");
    const refusals = async () => (await client.hvals(refusalsOf(queueOf(index)))).join();
    await expect.poll(refusals).toContain("has no manifest");
    expect(await plan(index).result).toMatchObject({ code: 0 });
    await expectSameIndex(index, path("one.index"));
    close();
    await worker.kill("SIGTERM");
  });

  it("takes out what is left of an index that was removed, once nobody asked for it for a day", {
    timeout: 60_000,
  }, async () => {
    const index = path("left.index");
    const queue = queueOf(index);
    const planner = plan(index);
    const { redis: client, close } = await connect(url, () => {});
    while ((await client.llen(`bull:${queue}:wait`)) !== 2) await sleep(20);
    await planner.kill("SIGINT");
    await rm(index, { recursive: true });
    const worker = started(startWorker(url));
    await worker.says("has no manifest");
    await expect.poll(() => client.llen(`bull:${queue}:wait`)).toBe(2);
    await worker.kill("SIGTERM");
    expect(await client.ttl(wantedOf(queue))).toBeGreaterThan(WANTED - 60);
    // The day passes.
    await client.del(wantedOf(queue));
    const next = started(startWorker(url));
    await next.says("nobody asked for it for a day");
    await expect.poll(() => client.keys(`*${queue}*`)).toEqual([]);
    expect(await client.smembers(QUEUES)).not.toContain(queue);
    close();
    await next.kill("SIGTERM");
  });

  it("is refused with a wrong password or address, which is not printed", async () => {
    await expect(connect(url.replace(PASSWORD, "other-secret"), () => {})).rejects.toMatchObject({
      code: "QUEUE_UNAUTHORIZED",
      message: expect.not.stringContaining("other-secret"),
    });
    for (const address of ["redis.example.org", "https://name:secret@host", "redis://"])
      await expect(connect(address, () => {})).rejects.toMatchObject({
        code: "USAGE",
        message: expect.not.stringContaining("secret"),
      });
  });
});
