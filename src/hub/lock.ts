import { randomUUID } from "node:crypto";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { ClipInterpretError } from "../support/errors.ts";
import { makeFolder } from "../support/files.ts";
import type { WorkOptions } from "../support/progress.ts";
import { pauseFor } from "./retry.ts";

/** How locks between processes are kept. */
export interface LockTimes {
  /** How often a waiting process looks. */
  readonly pollMs: number;
  /** How often the owner shows that it lives. */
  readonly beatMs: number;
  /** A lock whose owner showed no life for so long belongs to nobody. */
  readonly staleMs: number;
}

const TIMES: LockTimes = { pollMs: 250, beatMs: 5_000, staleMs: 60_000 };

/**
 * Runs `work` while no other process runs work under the same lock file. The owner touches the file as long as it
 * lives, so the lock of a process that died is taken over: at once on the same machine, else when it is stale.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal, report }: WorkOptions,
  times: LockTimes = TIMES,
): Promise<T> {
  const token = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  await makeFolder(dirname(path));
  let ahead: number | undefined;
  for (let waited = false; !(await create(path, token)); ) {
    ahead ??= await driveAhead(path);
    if (await removeDead(path, times, ahead)) continue;
    if (!waited) report?.({ type: "note", message: await whoHas(path) });
    waited = true;
    await pauseFor(times.pollMs, signal, stoppedWaiting);
  }
  // By the drive's clock: another machine's may be an hour off, and would take every lock for a dead one's.
  const since = await stat(path).then(
    ({ mtimeMs }) => mtimeMs - performance.now(),
    () => Date.now() - performance.now(),
  );
  const beat = setInterval(() => {
    const now = new Date(since + performance.now());
    utimes(path, now, now).catch(() => {});
  }, times.beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    // Another process may have taken the lock while this one slept, say in a closed laptop.
    if ((await readFile(path, "utf8").catch(() => "")) === token) await rm(path, { force: true });
  }
}

/** How many milliseconds the clock of a lock's drive is ahead of this machine's. */
async function driveAhead(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`;
  try {
    await writeFile(probe, "");
    return (await stat(probe)).mtimeMs - Date.now();
  } catch {
    return 0;
  } finally {
    await rm(probe, { force: true });
  }
}

/** Says who is waited for. */
async function whoHas(path: string): Promise<string> {
  const other = await readFile(path, "utf8")
    .then(JSON.parse)
    .catch(() => undefined);
  const named = other ? ` (process ${other.pid} on ${other.host})` : "";
  return `waiting: another process${named} has the same work in hand; its lock is ${path}`;
}

const stoppedWaiting = (cause: unknown) =>
  new ClipInterpretError("CANCELLED", "stopped while another process had the work in hand", { cause });

/** Makes the file; false if there is one. */
async function create(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // On a full disk the file is made and stays empty.
    await rm(path, { force: true });
    throw error;
  }
}

/** Takes a dead owner's lock away; true if there may be no lock any more. */
async function removeDead(path: string, times: LockTimes, ahead: number): Promise<boolean> {
  const state = await look(path, times, ahead);
  if (state !== "dead") return state === "gone";
  // Of several processes that find it dead, one at a time looks again and removes it: without this, a slow one would
  // remove the lock that a quick one has just made in its place.
  const removing = `${path}.removing`;
  if (!(await create(removing, JSON.stringify({ pid: process.pid, host: hostname() })))) {
    if ((await look(removing, times, ahead)) === "dead") await rm(removing, { force: true });
    return false;
  }
  try {
    if ((await look(path, times, ahead)) === "dead") await rm(path, { force: true });
    return true;
  } finally {
    await rm(removing, { force: true });
  }
}

async function look(path: string, { staleMs }: LockTimes, ahead: number): Promise<"gone" | "alive" | "dead"> {
  try {
    const [token, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return Date.now() + ahead - mtimeMs >= staleMs || isDead(token) ? "dead" : "alive";
  } catch {
    return "gone";
  }
}

/** True if the owner ran on this machine and does not any more. */
function isDead(token: string): boolean {
  // A lock that is being made has no token yet: not dead, but stale after a while.
  if (token === "") return false;
  try {
    const { pid, host } = JSON.parse(token) as { pid: number; host: string };
    if (host !== hostname()) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
