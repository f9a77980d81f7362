import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { freePorts } from "../support/nginx.ts";
import { missing } from "../support/redis.ts";
import { repositoryPath, sharedFolder } from "./cli.ts";

/*
 * What docs/cluster.md says, word by word: the line for one machine with real processes, and what schedulers make of theirs.
 */

const run = promisify(execFile);
const IMAGES = 24;

describe("docs/cluster.md", () => {
  const path = sharedFolder();
  let page: string;
  /** Blocks of code that hold some words. */
  const block = (words: string) =>
    [...page.matchAll(/```(?:sh|yaml)\n(.*?)```/gs)]
      .map(([, code]) => code)
      .find((code) => code.includes(words))!;
  const env = (bin: string, more: Record<string, string> = {}) => ({
    ...process.env,
    PATH: `${path(bin)}${delimiter}${process.env.PATH}`,
    ...more,
  });
  const command = async (bin: string, script: string) => {
    await mkdir(path(bin));
    await writeFile(path(`${bin}/clip-interpret`), script);
    await chmod(path(`${bin}/clip-interpret`), 0o755);
  };

  beforeAll(async () => {
    page = await readFile(repositoryPath("docs/cluster.md"), "utf8");
    await command(
      "bin",
      `#!/bin/sh\nexec "${process.execPath}" "${repositoryPath("dist/cli/main.js")}" "$@"\n`,
    );
    await command("echoing", '#!/bin/sh\nprintf "%s\\n" "$*"\n');
    await symlink(repositoryPath("examples"), path("examples"));
  });

  it("makes one index with several processes at a time, one of which is killed and run again", async () => {
    const line = block("xargs");
    expect(line.trim().split("\n")).toHaveLength(1);
    const index = path("out/parts.index");
    const started = spawn(
      path("bin/clip-interpret"),
      ["index", "examples/scenes", "--out", "out/parts.index", "--part", "2/4"],
      { cwd: path(""), stdio: "ignore" },
    );
    while (!existsSync(join(index, "parts/2-of-4/manifest.json"))) await sleep(5);
    const gone = new Promise((resolve) => started.once("exit", resolve));
    started.kill("SIGKILL");
    await gone;
    const { stdout } = await run("sh", ["-c", line], { cwd: path(""), env: env("bin") });
    expect(stdout.match(/this is part \d of 4/g)?.length).toBeLessThanOrEqual(3);
    expect((await readIndex(index)).images).toHaveLength(IMAGES);
    expect(existsSync(join(index, "parts"))).toBe(false);
  });

  describe.skipIf(missing !== undefined)(`with a queue${missing ? ` (skipped: ${missing})` : ""}`, () => {
    /** A line of the page at a port of this test, and at an address of this machine for that of another. */
    const here = (code: string, port: number) =>
      code.replaceAll("6379", `${port}`).replaceAll("10.0.0.1", "127.0.0.2");
    const stop = (port: number, host: string, ...before: string[]) =>
      new Promise<void>((resolve) => {
        const socket = connect(port, host).on("error", () => resolve());
        socket.on("close", () => resolve());
        socket.write([...before, "SHUTDOWN NOSAVE", ""].join("\r\n"));
      });

    it("makes an index on one machine, line by line", { timeout: 180_000 }, async () => {
      const [port] = await freePorts(1);
      const lines = here(block('--bind 127.0.0.1 --save ""'), port);
      try {
        const { stdout } = await run("sh", ["-c", lines], { cwd: path(""), env: env("bin") });
        expect(stdout).toContain("24 images in");
      } finally {
        await stop(port, "127.0.0.1");
      }
      expect((await readIndex(path("out/scenes.index"))).images).toHaveLength(IMAGES);
    });

    it("makes an index on two machines, line by line", { timeout: 180_000 }, async () => {
      const [port] = await freePorts(1);
      await symlink(repositoryPath("examples/scenes"), path("photos"));
      const how = { cwd: path(""), env: env("bin") };
      const [first, second] = [block("--requirepass"), block("clip-interpret worker\n")].map((code) =>
        here(code, port),
      );
      const [, password] = /PASSWORD=(\S+)/.exec(first)!;
      // A shell of its own, as on another machine; what it starts ends with it.
      const other = spawn("sh", ["-c", `sleep 1; ${second}`], { ...how, detached: true, stdio: "pipe" });
      let said = "";
      other.stderr.on("data", (data: Buffer) => {
        said += data;
      });
      try {
        const { stdout, stderr } = await run("sh", ["-c", first], how);
        expect(stdout).toContain("24 images in");
        expect(said).toContain("part done");
        expect(stdout + stderr + said).not.toContain(password);
      } finally {
        process.kill(-other.pid!, "SIGTERM");
        await stop(port, "127.0.0.2", `AUTH ${password}`);
      }
    });
  });

  it.each([
    [
      "Slurm",
      "SLURM_ARRAY_TASK_ID",
      { SLURM_ARRAY_TASK_COUNT: "32", DATA: "/data", SCRATCH: "/data" },
      "#SBATCH",
      "7",
    ],
    ["Kubernetes", "JOB_COMPLETION_INDEX", {}, "completionMode: Indexed", "6"],
    ["AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", {}, "submit-job", "6"],
  ] as const)(
    "numbers the tasks of %s as the program counts them",
    async (_, variable, more, words, value) => {
      const code = block(words);
      // The line that a task runs: a script of its own, or the shell's argument in what describes the job.
      const [line] = /clip-interpret index .*\/32/.exec(code) ?? [code];
      const script = line === code ? code : line.includes('"') ? `${line}"` : line;
      const { stdout } = await run("sh", ["-c", script], {
        env: env("echoing", { ...more, [variable]: value }),
      });
      expect(stdout).toBe("index /data/photos --out /data/photos.index --part 7/32\n");
    },
  );
});
