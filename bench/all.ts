/**
 * Every bench in one table, each beside its floor. `npm run bench [-- NAME …]`: some of them; without names all, which takes half
 * an hour on two cores that do nothing else.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { type Ratio, ROWS } from "./ratio.ts";

/** Scripts with the arguments that they are given here. */
const BENCHES: Readonly<Record<string, readonly string[]>> = {
  engine: ["ViT-B-32"],
  load: ["ViT-B-32"],
  start: [],
  kinds: [],
  text: ["ViT-B-32"],
  search: [],
  textspan: ["5000", "--layers", "4"],
  reference: [],
  words: ["3"],
  stall: [],
  page: [],
  queue: [],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "bench-"));
const file = join(folder, "rows");
const rows: (Ratio & { readonly bench: string })[] = [];
const failed: string[] = [];
let read = 0;
for (const [name, args] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n# ${name}`);
  const script = join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    stdio: "inherit",
    env: { ...process.env, [ROWS]: file },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) failed.push(name);
  const lines = linesOf(file);
  for (const line of lines.slice(read)) rows.push({ bench: name, ...(JSON.parse(line) as Ratio) });
  read = lines.length;
}
rmSync(folder, { recursive: true });

const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", changed since";
const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
console.log(
  `\nCommit ${git("rev-parse", "--short", "HEAD")}${changed}; Node ${process.versions.node}; ${cpus().length} × ${cpus()[0]?.model.trim()}, ${gigabytes} GB, ${type()} ${release()}\n`,
);
console.log("| bench | what | took | beside | took | ratio |\n| --- | --- | --- | --- | --- | --- |");
for (const { bench, what, took, unit = "ms", beside, besideTook } of rows) {
  const times = [took, besideTook].map((value) => `${Number(value.toPrecision(3))} ${unit}`);
  console.log(
    `| ${bench} | ${what} | ${times[0]} | ${beside} | ${times[1]} | ${(took / besideTook).toFixed(2)} |`,
  );
}
if (failed.length > 0) console.log(`\ndid not run to their end: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trim().split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
