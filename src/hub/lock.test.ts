import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { withLock } from "./lock.ts";

const TIMES = { pollMs: 5, beatMs: 20, staleMs: 300 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function lockPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clip-interpret-lock-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "deep", "lock");
}

async function left(path: string, token: object | string, ageMs = 0): Promise<void> {
  await withLock(path, async () => {}, {});
  await writeFile(path, typeof token === "string" ? token : JSON.stringify(token));
  await utimes(path, new Date(), new Date(Date.now() - ageMs));
}

describe("a lock", () => {
  it("lets one in at a time and is gone afterwards, also after a failure", async () => {
    const path = await lockPath();
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await pause(10);
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, work, {}, TIMES)));
    expect(most).toBe(1);
    await expect(withLock(path, () => Promise.reject(new Error("no")), {}, TIMES)).rejects.toThrow("no");
    expect(existsSync(path)).toBe(false);
  });

  it("of a process that died here is taken over at once", async () => {
    const path = await lockPath();
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await left(path, { pid, host: hostname(), id: "x" });
    // It had died while it removed the lock of yet another one.
    await writeFile(`${path}.removing`, JSON.stringify({ pid, host: hostname() }));
    const began = Date.now();
    expect(await withLock(path, async () => 1, {})).toBe(1);
    // Not after the minute that a lock of unknown owners is waited for.
    expect(Date.now() - began).toBeLessThan(30_000);
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it("of another machine, or half written, is taken over when it is stale, by one of those who wait", async () => {
    for (const token of [{ pid: 1, host: "elsewhere", id: "x" }, "", "{"]) {
      const path = await lockPath();
      const began = Date.now();
      await left(path, token);
      let inside = 0;
      const work = async () => {
        expect(++inside).toBe(1);
        await pause(5);
        inside--;
      };
      await Promise.all(Array.from({ length: 6 }, () => withLock(path, work, {}, TIMES)));
      expect(Date.now() - began).toBeGreaterThanOrEqual(TIMES.staleMs - 5);
    }
  });

  it("shows that its owner lives, however long the work takes", async () => {
    const times = { ...TIMES, staleMs: 500 };
    const path = await lockPath();
    await withLock(
      path,
      async () => {
        const { mtimeMs: first } = await stat(path);
        const second = withLock(path, async () => "second", { signal: AbortSignal.timeout(900) }, times);
        await expect(second).rejects.toMatchObject({ code: "CANCELLED" });
        expect((await stat(path)).mtimeMs - first).toBeGreaterThan(times.staleMs / 2);
      },
      {},
      times,
    );
  });

  it("that another one took over is left to them", async () => {
    const path = await lockPath();
    await withLock(path, () => writeFile(path, "theirs"), {}, TIMES);
    expect(await readFile(path, "utf8")).toBe("theirs");
  });
});
