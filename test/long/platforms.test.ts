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
let folder: string;
const tarball = (name: string) => join(folder, "packed", `${name}-${VERSION}.tgz`);
const installed = (...path: string[]) => join(folder, "node_modules", ...path);

beforeAll(async () => {
  const options = { cwd: repositoryPath(""), stdio: "pipe" } as const;
  folder = await mkdtemp(join(tmpdir(), "platforms-"));
  const packed = ["--out", join(folder, "packed"), HERE];
  execFileSync("npx", ["tsx", "scripts/pack-platforms.ts", ...packed], options);
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

it("computes with it", () => {
  const { status, stdout, stderr } = explain();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout).texts[0].similarity).toBeCloseTo(0.2085, 4);
});

/** What it says while a file or folder is away. */
const without = async (path: string) => {
  await rename(installed(path), join(folder, "gone"));
  const { status, stderr } = explain();
  await rename(join(folder, "gone"), installed(path));
  return { status, stderr };
};

it("says what to install where it is missing, damaged, or for none", async () => {
  const missing = await without(OF_HERE);
  expect(missing.status).toBe(1);
  expect(missing.stderr).toMatch(
    new RegExp(`^error RUNTIME_MISSING: ${OF_HERE} is not installed\\. npm install ${OF_HERE}@.*\n$`),
  );
  const libraries = `${OF_HERE}/bin/napi-v6/${process.platform}/${process.arch}`;
  const damaged = await without(`${libraries}/onnxruntime_binding.node`);
  expect(damaged.stderr).toMatch(/^error RUNTIME_MISSING: ONNX Runtime does not load: .* It needs .*\n$/);
  const unwanted = await without(`@img/sharp-${HERE}`); // As --omit=optional leaves it.
  expect(unwanted).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error RUNTIME_MISSING: .*sharp.*\n$/),
  });
  expect(unwanted.stderr).toContain("npm install --include=optional");
});

it("says so on a system that ONNX Runtime is not there for", () => {
  const elsewhere = "data:text/javascript,Object.defineProperty(process,'arch',{value:'riscv64'})";
  const runtime = installed("clip-interpret/dist/onnx/runtime.js");
  const { stderr } = spawnSync(process.execPath, ["--import", elsewhere, runtime], { encoding: "utf8" });
  expect(stderr).toContain(`there is no ONNX Runtime for ${process.platform}-riscv64`);
});
