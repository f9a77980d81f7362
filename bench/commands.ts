/**
 * Time and memory of every command of the README's block, from top to bottom, in an empty folder. `npm run build`, then
 * `npm run bench:commands`; it ends with the table of docs/benchmarks.md.
 *
 * The processor's time is that of all threads; memory is the most that the process held at once, as the system counts it.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
/** Runs in each command, and says at its end what it used. */
const HOOK = `process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  require("node:fs").writeFileSync(process.env.BENCH_USED, JSON.stringify([userCPUTime + systemCPUTime, maxRSS]));
});`;

const [, text] = (await readFile(join(root, "README.md"), "utf8")).split("\n## Use\n");
const [, block] = /```sh\n([\s\S]*?)```/.exec(text) ?? [];
const lines = block.trim().split("\n");

const folder = await mkdtemp(join(tmpdir(), "bench-commands-"));
try {
  const [bin, used, hook, work] = ["bin", "used.json", "hook.cjs", "work"].map((name) => join(folder, name));
  await mkdir(bin);
  await mkdir(work);
  await writeFile(hook, HOOK);
  const called = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "dist/cli/main.js")}" "$@"\n`;
  await writeFile(join(bin, "clip-interpret"), called, { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    NODE_OPTIONS: `--require ${hook}`,
    BENCH_USED: used,
    // What is kept between runs would make a second one cheaper.
    CLIP_INTERPRET_CACHE: join(folder, "cache"),
  };
  console.log("| command | seconds | of a processor | MB |\n| --- | ---: | ---: | ---: |");
  for (const line of lines) {
    const [command] = line.split(/\s+#/);
    const started = performance.now();
    await promisify(execFile)("sh", ["-c", command], { cwd: work, env, maxBuffer: 2 ** 28 });
    const seconds = (performance.now() - started) / 1000;
    const [cpu, kilobytes] = JSON.parse(await readFile(used, "utf8")) as [number, number];
    const numbers = [seconds.toFixed(1), (cpu / 1e6).toFixed(1), (kilobytes / 1024).toFixed(0)];
    console.log(`| \`${command.replace("clip-interpret ", "")}\` | ${numbers.join(" | ")} |`);
  }
} finally {
  await rm(folder, { recursive: true });
}
