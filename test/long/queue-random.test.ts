/**
 * Faults at random, for ten minutes: indexes are made in a folder and in a store in turn, one a round, by two workers that are
 * killed and put to sleep, with a Redis that is emptied and taken away and a store that fails. What happens in a round, and when,
 * follows from QUEUE_SEED and the round's number, and is printed; QUEUE_ROUND does one round again, QUEUE_MINUTES says for how long.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkIndex } from "../../src/corpus/open-index.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import { Random } from "../../src/math/random.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { runOk, sharedFolder } from "../e2e/cli.ts";
import { expectSameIndex } from "../support/index-contents.ts";
import { startWorker, treeOf, type Watched, watch } from "../support/queue-run.ts";
import { missing, type RedisServer, startRedis } from "../support/redis.ts";
import { type Fault, startTestStore, type TestStore } from "../support/s3-server.ts";

const MINUTES = Number(process.env.QUEUE_MINUTES ?? 10);
const SEED = Number(process.env.QUEUE_SEED ?? 7);
const ROUND = process.env.QUEUE_ROUND === undefined ? undefined : Number(process.env.QUEUE_ROUND);

const IMAGES = 240;
const PARTS = "6";
/** Then a round is left in peace, and has to end. */
const FAULTS_A_ROUND = 16;
const PEACE_SECONDS = 600;

const FAULTS = [
  ...["worker killed", "process killed", "machine gone", "worker asleep", "worker asked to stop"],
  ...["redis flushed", "redis away", "redis away and emptied", "planner killed", "second planner"],
  ...["listings are stale", "store away"],
] as const;

/**
 * The next fault: how long it is until then, which, of which of the two workers, and how long it lasts. The slower the machine is,
 * the further are they apart: else nothing would be computed in between.
 * @param pace milliseconds in which one process makes the index undisturbed
 */
const nextFault = (random: Random, pace: number) => ({
  after: random.between(0.02, 0.6) * pace,
  name: random.pick(FAULTS),
  who: random.below(2),
  lasts: random.between(0, 4500),
});

/** What becomes of one request of five. */
const nextStoreFault = (random: Random): Fault =>
  random.chance(0.2) ? random.pick(["refuse", "cut", "truncate", "late", "hang"] as const) : undefined;

/**
 * What a command may end with while Redis or the store is away, or where others were faster: the same line is to be run again, and
 * goes on. Nothing else is allowed to end one.
 */
const RUN_AGAIN =
  /"(QUEUE_UNREACHABLE|STORE_UNREACHABLE|SOURCE_GONE|INDEX_CHANGED|INPUT_UNREADABLE|OUTPUT_UNWRITABLE)"/;

const killed = (one: Watched, signal: NodeJS.Signals) => {
  for (const pid of treeOf(one.child.pid!)) if (existsSync(`/proc/${pid}`)) process.kill(pid, signal);
};
const hasEnded = ({ child }: Watched) => child.exitCode !== null || child.signalCode !== null;

describe.skipIf(missing !== undefined)(`faults at random${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const path = sharedFolder();
  let redis: RedisServer;
  let store: TestStore;
  /** Images in a folder, and in a store: half as files, half in an archive. */
  const inputs = { folder: [] as string[], store: [] as string[] };
  let pace = 0;
  const processes = new Set<Watched>();
  const keep = (one: Watched) => {
    processes.add(one);
    return one;
  };
  /** A machine of its own, which shares nothing but Redis and the store. */
  const machine = (name: string) => ({
    ...store.env,
    HOME: path(name),
    XDG_CACHE_HOME: path(`${name}/cache`),
    CLIP_INTERPRET_CACHE: path(`${name}/cache`),
  });
  /** A store that hangs is noticed soon, and one that is slow on a busy machine is not taken for one. */
  const hasty = { CLIP_INTERPRET_STORE_TIMEOUT: "8" };

  beforeAll(async () => {
    store = await startTestStore();
    for (const [name, value] of Object.entries(machine("here"))) vi.stubEnv(name, value);
    const indices = Array.from({ length: IMAGES }, (_, i) => i);
    await writeCorpus(path("corpus"), await planCorpus({ split: "demo", size: 64, indices }));
    const names = (await readdir(path("corpus/images"))).sort();
    await mkdir(path("archive"));
    const bucket = storeAt(store.address);
    for (const [i, name] of names.entries())
      if (i % 2 === 0) await cp(path(`corpus/images/${name}`), path(`archive/${name}`));
      else await bucket.put(`photos/${name}`, [await readFile(path(`corpus/images/${name}`))]);
    execFileSync("tar", ["-cf", path("00000.tar"), "-C", path("archive"), "."]);
    await bucket.put("shards/00000.tar", [await readFile(path("00000.tar"))]);
    inputs.folder = [path("corpus")];
    inputs.store = [`${store.address}/photos`, `${store.address}/shards/00000.tar`];
    for (const kind of ["store", "folder"] as const) {
      const from = performance.now();
      await runOk(["index", ...inputs[kind], "--out", path(`${kind}.one`)], {
        ...{ timeout: 600_000, apart: true, env: machine("here") },
      });
      pace = performance.now() - from;
    }
  }, 900_000);
  afterAll(async () => {
    for (const one of processes) {
      killed(one, "SIGKILL");
      await one.kill();
    }
    await redis?.close();
    await store?.close();
  });

  async function round(number: number): Promise<void> {
    const kind = number % 2 === 0 ? "folder" : "store";
    const index = kind === "folder" ? path(`round-${number}`) : `${store.address}/round-${number}`;
    const [random, ofRequests] = [new Random(SEED, 2 * number), new Random(SEED, 2 * number + 1)];
    const from = performance.now();
    const seconds = () => ((performance.now() - from) / 1000).toFixed(1);
    const events: string[] = [];
    const say = (what: string) => void events.push(`${seconds()} ${what}`);
    let [awayUntil, staleUntil] = [0, 0];
    const stale = new Map<string, Buffer>();
    const storeFault = (): Fault => {
      const fault = nextStoreFault(ofRequests);
      return performance.now() < awayUntil ? "cut" : fault;
    };
    const listing: NonNullable<TestStore["listing"]> = async ({ query }, fresh) => {
      const known = stale.get(`${query}`);
      if (known && performance.now() < staleUntil) return known;
      const page = await fresh();
      stale.set(`${query}`, page);
      return page;
    };
    if (kind === "store") {
      store.fault = storeFault;
      store.listing = listing;
    }
    redis = await startRedis();
    const homes = [`round-${number}-a`, `round-${number}-b`];
    let machines = 0;
    const start = (who: number) => keep(startWorker(redis.url, [], { ...machine(homes[who]), ...hasty }));
    const plan = () =>
      keep(
        watch(["index", ...inputs[kind], "--out", index, "--queue", redis.url, "--parts", PARTS, "--json"], {
          ...machine(`round-${number}-planner`),
          ...hasty,
        }),
      );
    const planners = [plan()];
    const workers = [start(0), start(1)];
    const wakings: Promise<void>[] = [];
    const ended: Watched[] = [];
    const faults: Record<(typeof FAULTS)[number], (who: number, lasts: number) => unknown> = {
      "worker killed": (who) => workers[who].kill(),
      "process killed": (who) => {
        const [, ...children] = treeOf(workers[who].child.pid!);
        for (const pid of children) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
      },
      "machine gone": async (who) => {
        killed(workers[who], "SIGKILL");
        await workers[who].kill();
        await rm(path(homes[who]), { recursive: true, force: true });
        homes[who] = `round-${number}-${who}-${machines++}`;
      },
      "worker asleep": (who, lasts) => {
        const asleep = treeOf(workers[who].child.pid!).filter((pid) => existsSync(`/proc/${pid}`));
        for (const pid of asleep) process.kill(pid, "SIGSTOP");
        wakings.push(
          sleep(lasts).then(() => {
            for (const pid of asleep) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGCONT");
          }),
        );
      },
      "worker asked to stop": (who) => workers[who].child.kill("SIGTERM"),
      "redis flushed": () => redis.command("FLUSHALL"),
      "redis away": async (_, lasts) => {
        await redis.stop("keep");
        await sleep(lasts);
        await redis.start();
      },
      "redis away and emptied": async (_, lasts) => {
        await redis.stop();
        await sleep(lasts);
        await redis.start();
      },
      "planner killed": () => planners[0].kill(),
      "second planner": () => planners.length < 2 && planners.push(plan()),
      "listings are stale": (_, lasts) => {
        staleUntil = performance.now() + lasts;
      },
      "store away": (_, lasts) => {
        awayUntil = performance.now() + lasts;
      },
    };
    /** Whether a planner has seen all of it put together; those that a fault ended are run again. */
    const isDone = async () => {
      for (const [i, one] of [...planners.entries()].reverse()) {
        if (!hasEnded(one)) continue;
        const { code, stdout, stderr } = await one.result;
        ended.push(one);
        if (code === 0) {
          const { unread } = JSON.parse(stdout) as { unread: { path: string }[] };
          if (unread.length === 0) return true;
          say(`${unread.length} unread; the same line again`);
        } else if (code === null) say("planner again");
        else if (RUN_AGAIN.test(stderr)) say(`planner: ${RUN_AGAIN.exec(stderr)![1]}; again`);
        else throw new Error(`the planner ended with ${code}: ${stderr.slice(-2000)}`);
        planners.splice(i, 1);
      }
      if (planners.length === 0) planners.push(plan());
      return false;
    };
    try {
      let faultsLeft = FAULTS_A_ROUND;
      for (let next = nextFault(random, pace), wait = next.after; !(await isDone()); ) {
        const pause = Math.min(Math.max(wait, 20), 200);
        await sleep(pause);
        for (const [who, one] of workers.entries()) {
          if (!hasEnded(one)) continue;
          ended.push(one);
          workers[who] = start(who);
        }
        wait -= pause;
        if (-wait > PEACE_SECONDS * 1000) throw new Error("it does not end");
        if (wait > 0 || faultsLeft === 0) continue;
        faultsLeft--;
        const { name, who, lasts } = next;
        say(
          `${name}${/worker|process|machine/.test(name) ? ` ${"ab"[who]}` : ""}, ${(lasts / 1000).toFixed(1)} s`,
        );
        await faults[name](who, lasts);
        next = nextFault(random, pace);
        wait = next.after;
      }
      await Promise.all(wakings);
      // What wakes late, or is still at work, must not harm what is done.
      await sleep(1000);
      for (const one of [...workers, ...planners]) await one.kill("SIGTERM");
      store.fault = undefined;
      store.listing = undefined;
      await expectSameIndex(index, path(`${kind}.one`));
      expect(await checkIndex(index)).toMatchObject({ corrupt: [], changed: [], missing: [] });
      if (kind === "folder") expect((await readdir(index)).sort()).toEqual(["manifest.json", "shards"]);
      console.log(
        `seed ${SEED}, round ${number}, ${kind}, pace ${Math.round(pace)} ms, ${seconds()} s: ${events.join("; ")}`,
      );
    } catch (error) {
      const said = [...ended, ...planners, ...workers].map((one) => one.said().slice(-3000)).join("\n--\n");
      const again = `QUEUE_SEED=${SEED} QUEUE_ROUND=${number} does it again`;
      throw new Error(`${kind}, ${again}\n${events.join("\n")}\n--\n${said}`, { cause: error });
    } finally {
      store.fault = undefined;
      store.listing = undefined;
      for (const one of [...processes]) {
        killed(one, "SIGKILL");
        await one.kill();
      }
      processes.clear();
      await redis.close();
      if (kind === "folder") await rm(index, { recursive: true, force: true });
    }
  }

  it(`whatever happens in ${MINUTES} minutes, each index is that of one process`, {
    timeout: (MINUTES + 15) * 60_000,
  }, async () => {
    for (const [name, value] of Object.entries(machine("here"))) vi.stubEnv(name, value);
    if (ROUND !== undefined) return round(ROUND);
    const end = performance.now() + MINUTES * 60_000;
    for (let number = 0; performance.now() < end; number++) await round(number);
  });
});
