import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { runCli as runInProcess } from "../../src/cli/program.ts";
import { goldenPath } from "../support/goldens.ts";
import { bareEnvironment, repositoryPath, runCli, runOk, startCli, testFolder } from "./cli.ts";

const SCENE = repositoryPath("examples/scenes/images/0067-monkey.png");
const EXPLAIN = ["explain", SCENE, "--text", "a whale"];
const COMMANDS = ["explain", "decompose", "preprocess", "tokenize"];
const GLOBALS = ["--model", "--json", "--quiet", "--threads", "--debug"];

/** A stream that claims to be a terminal and keeps what is written. */
class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 100;
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** What a terminal would be sent: the same program, in this process. */
async function onTerminal(args: readonly string[]): Promise<string> {
  const [stdout, stderr] = [new Terminal(), new Terminal()];
  const code = await runInProcess(args, { stdout, stderr }, new AbortController().signal);
  expect({ code, stderr: stderr.text }).toEqual({ code: 0, stderr: "" });
  return stdout.text;
}

describe("help and version", () => {
  it("lists every command, and every option with it", async () => {
    const help = await runOk(["--help"]);
    for (const word of [...COMMANDS, ...GLOBALS]) expect(help).toContain(word);
    expect(await runOk(["help"])).toBe(help);
  });

  it("names the global options in a command's help too", async () => {
    const help = await runOk(["explain", "--help"]);
    for (const option of [...GLOBALS, "--text", "--out"]) expect(help).toContain(option);
    expect(await runOk(["help", "explain"])).toBe(help);
  });

  it("prints the package's version", async () => {
    const { version } = JSON.parse(await readFile(repositoryPath("package.json"), "utf8")) as {
      version: string;
    };
    expect(await runOk(["--version"])).toBe(`${version}\n`);
  });
});

describe("global options", () => {
  it("stand before the command, after it and between its options", async () => {
    const json = await runOk([...EXPLAIN, "--json", "--threads", "1"]);
    expect(JSON.parse(json)).toHaveProperty("texts");
    expect(await runOk(["--json", "--threads", "1", ...EXPLAIN])).toBe(json);
    expect(await runOk(["--json", "explain", "--threads=1", SCENE, "--text", "a whale"])).toBe(json);
  });

  it("--model before the command names the model", async () => {
    const [model, pixels] = [goldenPath("gelu-p8/open_clip"), goldenPath("gelu-p8/pixels.npy")];
    const out = await testFolder();
    const stdout = await runOk(["--model", model, "--json", "decompose", "--pixels", pixels, "--out", out]);
    expect(JSON.parse(stdout)).toMatchObject({ origin: { model: { name: "open_clip" } }, images: 4 });
  });

  it("--quiet leaves the result and takes the rest", async () => {
    const [full, quiet] = [await runOk(["explain"]), await runOk(["explain", "--quiet"])];
    expect(quiet).toContain("cosine");
    expect(full.startsWith(quiet)).toBe(true);
    expect(quiet).not.toContain("Where to go next");
  });
});

describe("paths and texts as people have them", () => {
  it.each(["Ünïcödé, 鯨 'and' \"$(space)\" 🐋.png", "-dash.png"])("an image named %s", async (name) => {
    const folder = await testFolder();
    await copyFile(SCENE, join(folder, name));
    const stdout = await runOk(["explain", "--json", "--text", "a", "--", name], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ origin: { image: { name } } });
  });

  it("a text that looks like an option", async () => {
    const stdout = await runOk(["explain", SCENE, "--json", "--text=--json", "--text", "-5 °C"]);
    expect(JSON.parse(stdout)).toMatchObject({ texts: [{ text: "--json" }, { text: "-5 °C" }] });
  });
});

describe("streams", () => {
  it("writes no escape codes into a pipe, and none to a terminal with NO_COLOR", async () => {
    expect(await runOk(EXPLAIN, { env: { FORCE_COLOR: "1" }, apart: true })).not.toContain("\u001b");
    const before = process.env.NO_COLOR;
    try {
      process.env.NO_COLOR = "";
      expect(await onTerminal(EXPLAIN)).toContain("\u001b[");
      process.env.NO_COLOR = "1";
      expect(await onTerminal(EXPLAIN)).not.toContain("\u001b");
    } finally {
      if (before === undefined) delete process.env.NO_COLOR;
      else process.env.NO_COLOR = before;
    }
  });

  it("ends quietly when the reader has gone, with its files written", async () => {
    const out = join(await testFolder(), "a.svg");
    const { child, result } = startCli([...EXPLAIN, "--out", out]);
    child.stdout?.destroy();
    const { code, stderr } = await result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await readFile(out, "utf8")).toContain("</svg>");
  });

  it.skipIf(process.platform === "win32")("may be piped to head", async () => {
    const main = repositoryPath("dist/cli/main.js");
    const script = '"$0" "$1" explain | head -n 1; echo "$' + '{PIPESTATUS[0]}"';
    const shell = spawn("bash", ["-c", script, process.execPath, main], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    shell.stdout.on("data", (chunk: Buffer) => (output += chunk));
    shell.stderr.on("data", (chunk: Buffer) => (output += chunk));
    await once(shell, "close");
    expect(output).toMatch(/^[^\n]*seen by[^\n]*\n0\n$/);
  });
});

describe("what is not asked for", () => {
  it("writes nothing into the home, working or temporary folder, and calls nobody", async () => {
    // ONNX Runtime's telemetry, on unless the program turns it off, starts with files in these places.
    const folder = await testFolder();
    const [home, temporary, cwd] = ["home", "tmp", "cwd"].map((name) => join(folder, name));
    for (const path of [home, temporary, cwd]) await mkdir(path);
    const { code, stderr } = await runCli(EXPLAIN, {
      cwd,
      env: bareEnvironment(home, temporary),
      apart: true,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(["cwd", "home", "tmp"]);
  });
});
