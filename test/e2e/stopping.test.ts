import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { treeOf } from "../support/queue-run.ts";
import { repositoryPath, startCli, testFolder } from "./cli.ts";

const MAIN = repositoryPath("dist/cli/main.js");

/** As `NODE_OPTIONS`, has a process do this once it has heard of the first Ctrl-C, and say so before. */
const atFirst = (doing: string) => {
  const program = `process.once("SIGINT", () => setImmediate(() => setImmediate(() => { console.error("heard"); ${doing} })))`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(program)}` };
};

/** Scenes being drawn: work that takes a minute. */
async function drawing(env: Record<string, string> = {}) {
  const folder = await testFolder();
  const { child, result } = startCli(["demo", "--out", folder, "--scenes", "2000", "--json"], { env });
  return { child, result, begun: () => begun(child, folder) };
}

async function begun(child: ChildProcess, folder: string): Promise<void> {
  while (child.exitCode === null && !existsSync(join(folder, "images"))) await sleep(5);
}

describe("a command that is stopped", { timeout: 60_000 }, () => {
  it("by a polite kill ends in order, with the exit code of one", async () => {
    const { child, result, begun } = await drawing();
    await begun();
    child.kill("SIGTERM");
    expect(await result).toMatchObject({ code: 143, stderr: expect.stringContaining('"code":"CANCELLED"') });
  });

  it("by a second Ctrl-C ends at once, even where what it does holds the thread for ever", async () => {
    const { child, result, begun } = await drawing(atFirst("for (;;);"));
    await begun();
    child.kill("SIGINT");
    await once(child.stderr!, "data");
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: null, stderr: "heard\n" });
    expect(child.signalCode).toBe("SIGINT");
  });

  const UNSHARE = ["--pid", "--fork", "--kill-child"];
  const canUnshare = spawnSync("unshare", [...UNSHARE, "true"]).status === 0;
  it.runIf(canUnshare)("by a second Ctrl-C ends as the first process of a container too", async () => {
    const folder = await testFolder();
    const words = [process.execPath, MAIN, "demo", "--out", folder, "--scenes", "2000"];
    const env = { ...process.env, ...atFirst("setInterval(() => {}, 1000)") };
    const child = spawn("unshare", [...UNSHARE, ...words], { env, stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit");
    await begun(child, folder);
    const [, inside] = treeOf(child.pid!);
    process.kill(inside, "SIGINT");
    while (!String((await once(child.stderr!, "data"))[0]).includes("heard"));
    process.kill(inside, "SIGINT");
    expect((await ended)[0]).toBe(130);
  });
});

describe("streams that take nothing", { timeout: 60_000 }, () => {
  it.runIf(existsSync("/dev/full"))("on a full disk are an error", async () => {
    const child = spawn(process.execPath, [MAIN, "models"], {
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    let said = "";
    child.stderr!.on("data", (data: Buffer) => {
      said += data;
    });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(said).toMatch(/^error DISK_FULL: cannot write to standard output: ENOSPC[^\n]+\n$/);
  });

  it("of messages that nobody reads any more do not end the work", async () => {
    const { child, result } = startCli(["serve", "--port", "0", "--json", "--log", "text"], {
      timeout: 60_000,
    });
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    child.stderr!.destroy();
    const { url } = JSON.parse(line.toString()) as { url: string };
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}api/models`)).status).toBe(200);
    child.kill("SIGINT");
    expect((await result).code).toBe(0);
  });
});
