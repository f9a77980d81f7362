/**
 * docs/cluster.md, "Two machines", as it is written, addresses and all: each machine is a network namespace with nothing but a
 * cable to the other. Needs root and iproute2 (Linux).
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryPath, runOk, sharedFolder } from "../e2e/cli.ts";
import { expectSameIndex } from "../support/index-contents.ts";
import { missing } from "../support/redis.ts";

const [FIRST, SECOND] = ["first", "second"].map((name) => `clip-${process.pid}-${name}`);
const ip = (...words: string[]) => spawnSync("ip", words).status === 0;
const mayNot = process.getuid?.() !== 0 || !ip("netns", "add", FIRST);
const why = missing ?? (mayNot ? "no network namespaces: needs root and iproute2" : undefined);

describe.skipIf(why !== undefined)(`two machines${why ? ` (skipped: ${why})` : ""}`, () => {
  const path = sharedFolder();

  beforeAll(async () => {
    const cable = (end: string) => `clip${process.pid % 1000}${end}`;
    expect(ip("netns", "add", SECOND)).toBe(true);
    expect(ip("link", "add", cable("a"), "type", "veth", "peer", "name", cable("b"))).toBe(true);
    for (const [name, end, address] of [
      [FIRST, "a", "10.0.0.1/24"],
      [SECOND, "b", "10.0.0.2/24"],
    ]) {
      ip("link", "set", cable(end), "netns", name);
      ip("-n", name, "addr", "add", address, "dev", cable(end));
      for (const device of ["lo", cable(end)]) ip("-n", name, "link", "set", device, "up");
    }
    await mkdir(path("bin"));
    const program = `#!/bin/sh\nexec "${process.execPath}" "${repositoryPath("dist/cli/main.js")}" "$@"\n`;
    await writeFile(path("bin/clip-interpret"), program);
    await chmod(path("bin/clip-interpret"), 0o755);
    await cp(repositoryPath("examples/scenes"), path("photos"), { recursive: true });
    await runOk(["index", path("photos"), "--out", path("one.index")]);
  });
  afterAll(() => {
    for (const name of [FIRST, SECOND]) {
      // Redis, which the first machine has put in the background, and whatever else is left there.
      for (const pid of execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" }).split("\n"))
        if (pid !== "") process.kill(Number(pid), "SIGKILL");
      ip("netns", "del", name);
    }
  });

  it("make an index, line by line", { timeout: 300_000 }, async () => {
    const page = await readFile(repositoryPath("docs/cluster.md"), "utf8");
    const [first, second] = [...page.split("## Two machines")[1].matchAll(/```sh\n(.*?)```/gs)];
    const env = { ...process.env, PATH: `${path("bin")}${delimiter}${process.env.PATH}` };
    const on = (machine: string, lines: string) => {
      const child = spawn("ip", ["netns", "exec", machine, "sh", "-ec", lines], {
        ...{ cwd: path(""), env, detached: true },
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      return { child, ended, said: () => said };
    };
    const one = on(FIRST, first[1]);
    // The second comes when the first waits for it.
    while (!/indexing by workers/.test(one.said())) {
      expect(one.child.exitCode, one.said()).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const other = on(SECOND, second[1]);
    expect(await one.ended, one.said()).toBe(0);
    process.kill(-other.child.pid!, "SIGTERM");
    await other.ended;
    expect(one.said()).toContain("24 images in");
    expect(other.said()).toContain("part done");
    const [, password] = /PASSWORD=(\S+)/.exec(first[1])!;
    expect(one.said() + other.said()).not.toContain(password);
    await expectSameIndex(path("photos.index"), path("one.index"));
  });
});
