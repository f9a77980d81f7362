import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./nginx.ts";

const REDIS = process.env.REDIS_SERVER ?? "redis-server";

/** Why tests that need a Redis cannot run, with what to type. In CI it is a failure, not a reason to skip. */
export const missing: string | undefined =
  spawnSync(REDIS, ["--version"]).status === 0
    ? undefined
    : "no Redis on this machine: `apt-get install -y redis-server` (or set REDIS_SERVER to one)";

/** A Redis of its own, which can be taken away. */
export interface RedisServer {
  readonly url: string;
  /** Stops it; what it held is lost unless it is to be kept. */
  stop(keep?: "keep"): Promise<void>;
  start(): Promise<void>;
  /** One command, as redis-cli has it: `FLUSHALL`. */
  command(...words: string[]): Promise<string>;
  close(): Promise<void>;
}

/** Starts a Redis in a folder of its own; `more` are options of its own. */
export async function startRedis(more: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "redis-"));
  const [port] = await freePorts(1);
  let child: ChildProcess | undefined;
  const command = (...words: string[]) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1").on("error", reject);
      socket.once("data", (data) => {
        resolve(data.toString());
        socket.destroy();
      });
      socket.write(`${words.join(" ")}\r\n`);
    });
  const start = async () => {
    const options = ["--port", `${port}`, "--dir", folder, "--save", "", "--bind", "127.0.0.1", ...more];
    child = spawn(REDIS, options, { stdio: "ignore" });
    while (!/PONG|NOAUTH/.test(await command("PING").catch(() => ""))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${options.join(" ")}`);
      await sleep(20);
    }
  };
  const stop = async (keep?: "keep") => {
    if (keep) await command("SAVE");
    else await rm(join(folder, "dump.rdb"), { force: true });
    const gone = once(child!, "exit");
    child!.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    command,
    close: async () => {
      if (child!.exitCode === null && child!.signalCode === null) await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
