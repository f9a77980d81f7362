/** Workers that share nothing but a Redis and a store: index, pictures and archives lie in a bucket. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { openManifest } from "../../src/corpus/open-shards.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import { openModel } from "../../src/index.ts";
import { repositoryPath, sharedFolder } from "../e2e/cli.ts";
import { expectSameIndex } from "../support/index-contents.ts";
import { startWorker, treeOf, type Watched, watch } from "../support/queue-run.ts";
import { missing, type RedisServer, startRedis } from "../support/redis.ts";
import { startTestStore, type TestStore } from "../support/s3-server.ts";
import { shellWords } from "../support/shell-words.ts";

const SCENES = repositoryPath("examples/scenes/images");
const PARTS = 3;

describe.skipIf(missing !== undefined)(
  `a queue and a store${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    const path = sharedFolder();
    let redis: RedisServer;
    let store: TestStore;
    /** The line of docs/cluster.md that plans, as words. */
    let line: string[];
    const processes: Watched[] = [];
    const started = (one: Watched) => {
      processes.push(one);
      return one;
    };
    /** A machine: its home and its cache are its own. */
    const machine = (name: string) => ({
      ...store.env,
      HOME: path(name),
      XDG_CACHE_HOME: path(`${name}/cache`),
      CLIP_INTERPRET_CACHE: path(`${name}/cache`),
    });
    const plan = (out: string, name: string) => {
      const args = line.map((word) => (word.endsWith(".index") ? out : word));
      const env = { ...machine(name), CLIP_INTERPRET_QUEUE: redis.url };
      return started(watch([...args, "--parts", `${PARTS}`, "--json"], env));
    };
    const worker = (name: string, more: readonly string[] = [], env: Record<string, string> = {}) =>
      started(startWorker(redis.url, more, { ...machine(name), ...env }));

    beforeAll(async () => {
      redis = await startRedis();
      store = await startTestStore();
      for (const [name, value] of Object.entries(machine("here"))) vi.stubEnv(name, value);
      const names = readdirSync(SCENES).sort();
      const photos = storeAt(store.address);
      for (const name of names.slice(0, 12))
        await photos.put(`photos/${name}`, [readFileSync(`${SCENES}/${name}`)]);
      for (const [i, archive] of ["00000", "00001"].entries()) {
        await mkdir(path(archive));
        for (const name of names.slice(12 + 6 * i, 18 + 6 * i))
          await cp(`${SCENES}/${name}`, path(`${archive}/${name}`));
        execFileSync("tar", ["-cf", path(`${archive}.tar`), "-C", path(archive), "."]);
        await photos.put(`shards/${archive}.tar`, [readFileSync(path(`${archive}.tar`))]);
      }
      const page = readFileSync(repositoryPath("docs/cluster.md"), "utf8");
      const written = /^clip-interpret (index s3:.*)$/m.exec(page)![1];
      line = shellWords(written);
      const inputs = line.filter((word) => word.startsWith("s3://") && !word.endsWith(".index"));
      expect(inputs).toHaveLength(2);
      const model = await openModel("emoji-4x128-p8");
      await buildIndex(model, await scanSource(inputs), path("one.index"));
      await model.release();
    });
    afterAll(async () => {
      for (const one of processes) await one.kill();
      await redis?.close();
      await store?.close();
    });

    it("make what one process makes, though a machine goes in the middle of a part and one request in five fails", async () => {
      for (const [name, value] of Object.entries(machine("here"))) vi.stubEnv(name, value);
      const index = `${store.address}/made.index`;
      const kinds = ["refuse", "cut", "truncate", "late"] as const;
      let requests = 0;
      store.fault = () => (++requests % 5 === 0 ? kinds[(requests / 5) % kinds.length] : undefined);

      const planner = plan(index, "planner");
      const gone = worker("gone");
      await gone.says("part taken");
      const underway = () =>
        existsSync(path("gone/cache/stores")) &&
        readdirSync(path("gone/cache/stores"), { recursive: true, encoding: "utf8" }).some((file) =>
          file.endsWith("journal/underway"),
        );
      while (!underway()) await sleep(5);
      for (const pid of treeOf(gone.child.pid!)) process.kill(pid, "SIGKILL");

      const others = [worker("second")];
      const { code, stdout, stderr } = await planner.result;
      expect([code, stderr.includes("error")], stderr).toEqual([0, false]);
      expect(JSON.parse(stdout)).toMatchObject({ folder: index, images: 24, rejected: 0, part: null });
      expect(requests).toBeGreaterThan(100);
      store.fault = undefined;
      await expectSameIndex(index, path("one.index"));
      const { manifest } = await openManifest(index);
      expect(manifest.shards.reduce((sum, { images }) => sum + images, 0)).toBe(24);
      expect(await storeAt(index).list("shards")).toHaveLength(manifest.shards.length);
      for (const one of others) await one.kill("SIGTERM");
      const said = others.map((one) => one.said()).join("");
      expect(said).toContain("a worker went; its part is given to another");
      expect(said).not.toMatch(/error|did not hear|process/);
    });

    it("leave a run to machines that may read the store", async () => {
      const index = `${store.address}/denied.index`;
      const planner = plan(index, "planner");
      const stranger = worker("stranger", [], { AWS_ACCESS_KEY_ID: "nobody" });
      await stranger.says("STORE_DENIED");
      expect(await planner.says("WORKER_REFUSED")).toContain("STORE_DENIED");
      worker("second");
      const { code, stderr } = await planner.result;
      expect(code, stderr).toBe(0);
      for (const [name, value] of Object.entries(machine("here"))) vi.stubEnv(name, value);
      await expectSameIndex(index, path("one.index"));
    });
  },
);
