/** What is published, from files in an empty folder: the package, and ONNX Runtime for this platform alone. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { VERSION } from "../../src/support/version.ts";
import { repositoryPath } from "../e2e/cli.ts";

const HERE = `${process.platform}-${process.arch}`;
const OF_HERE = `clip-interpret-onnxruntime-${HERE}`;
const tarball = (name: string) => repositoryPath(`out/release/${name}-${VERSION}.tgz`);
let folder: string;
const installed = (...path: string[]) => join(folder, "node_modules", ...path);

beforeAll(async () => {
  const options = { cwd: repositoryPath(""), stdio: "pipe" } as const;
  execFileSync("npx", ["tsx", "scripts/pack-platforms.ts", HERE], options);
  folder = await mkdtemp(join(tmpdir(), "platforms-"));
  await writeFile(join(folder, "package.json"), "{}");
  const files = [tarball(OF_HERE), tarball("clip-interpret")];
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", ...files], { cwd: folder });
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const explain = () => {
  const scene = installed("clip-interpret/examples/scenes/images/0067-monkey.png");
  const main = installed("clip-interpret/dist/cli/main.js");
  return spawnSync(process.execPath, [main, "explain", scene, "--text", "a monkey", "--json"], {
    cwd: folder,
    encoding: "utf8",
  });
};

it("the platform's package says where it fits, and the other holds no library", async () => {
  const { os, cpu, scripts } = JSON.parse(await readFile(installed(OF_HERE, "package.json"), "utf8"));
  expect({ os, cpu, scripts }).toEqual({ os: [process.platform], cpu: [process.arch], scripts: undefined });
  expect(existsSync(installed("clip-interpret/dist/onnxruntime"))).toBe(false);
});

it("computes with it, and says what to install where it is missing", async () => {
  const { status, stdout, stderr } = explain();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout).texts[0].similarity).toBeCloseTo(0.2085, 4);
  await rename(installed(OF_HERE), join(folder, "gone"));
  const without = explain();
  expect(without.status).toBe(1);
  expect(without.stderr).toMatch(
    new RegExp(`^error RUNTIME_MISSING: ${OF_HERE} is not installed\\. npm install ${OF_HERE}@.*\n$`),
  );
});
