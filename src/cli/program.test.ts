import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runHere } from "../../test/support/run-cli.ts";
import { shellWords } from "../../test/support/shell-words.ts";
import type { RunCommand } from "./command.ts";
import { completionScript } from "./completion.ts";
import { createProgram, runCli } from "./program.ts";
import { hasTable } from "./tables.ts";

/** The program whose commands only say that they were called. */
async function called(): Promise<{ program: Command; calls: string[] }> {
  const calls: string[] = [];
  const run: RunCommand =
    () =>
    async (...args) => {
      calls.push(pathOf(args.at(-1) as Command));
    };
  const program = await createProgram(run);
  for (const command of leavesOf(program))
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  return { program, calls };
}

const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
const pathOf = (command: Command): string =>
  command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

const { program: whole } = await called();

/** A command's help as `--help` prints it, with what is added after it. */
async function helpOf(command: Command): Promise<string> {
  const { stdout } = await runHere(...pathOf(command).split(" "), "--help");
  return stdout;
}

describe("help", () => {
  it.each(leavesOf(whole).map((command) => [pathOf(command), command] as const))(
    "of %s ends with an example that the command takes",
    async (path, command) => {
      const [, after] = (await helpOf(command)).split(/^Examples?:\n/m);
      const lines = after.trim().split("\n");
      for (const line of lines) {
        const [program, ...args] = shellWords(line.trim());
        expect(program).toBe("clip-interpret");
        const { program: fresh, calls } = await called();
        await fresh.parseAsync(args, { from: "user" });
        expect(calls).toEqual([path]);
      }
    },
  );

  it("of `evaluate` alone lists what it has", async () => {
    const { code, stdout, stderr } = await runHere("evaluate");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of ["zero-shot", "retrieval", "segmentation"])
      expect(stdout).toContain(`  ${name} [options]`);
  });

  it("does not tell of defaults that say nothing", async () => {
    const { stdout } = await runHere("explain", "--help");
    expect(stdout).not.toMatch(/default:\s+(false|\[\])/);
    expect(stdout).toMatch(/default:\s+0/);
  });
});

describe("Ctrl-C at a terminal", () => {
  it("says at once that what is in hand is finished, and what a second one does", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stopped-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const controller = new AbortController();
    let said = "";
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    // The bar shows that there is work in hand.
    stderr.on("data", (part: Buffer) => {
      said += part;
      controller.abort();
    });
    const streams = { stdout: new PassThrough().resume(), stderr };
    const code = await runCli(["demo", "--out", folder, "--scenes", "200"], streams, controller.signal);
    expect(code).toBe(130);
    expect(said).toMatch(
      /Stopping after what is in hand; Ctrl-C again ends it at once\.\n.*error CANCELLED/s,
    );
  });
});

describe("a terminal that does not say how wide it is", () => {
  it("is written to as one of the usual width", async () => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 0 });
    const streams = { stdout, stderr: new PassThrough() };
    const args = ["explain", "examples/scenes/images/0067-monkey.png", "--text", "a monkey"];
    expect(await runCli(args, streams, new AbortController().signal)).toBe(0);
    expect(String(stdout.read())).toContain("seen by emoji-4x128-p8");
  });
});

describe("work that is stopped before its bar", () => {
  it("shows none, which would hide the cursor", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stopped-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const streams = { stdout: new PassThrough().resume(), stderr };
    const args = ["demo", "--out", folder, "--scenes", "200"];
    expect(await runCli(args, streams, AbortSignal.abort())).toBe(130);
    expect(String(stderr.read())).toMatch(/^error CANCELLED/);
  });
});

describe("a place that cannot be written to", () => {
  it("is refused before the work, in a cache with how to have that elsewhere", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clip-interpret-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "file");
    await writeFile(file, "");
    const args = ["textspan", "--index", "no-such.index", "--out", join(file, "below", "heads.html")];
    const { code, stderr } = await runHere(...args);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^error OUTPUT_UNWRITABLE: cannot write .*heads\.html: .*file is no folder/,
      ),
    });
    vi.stubEnv("CLIP_INTERPRET_CACHE", file);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await runHere("demo", "--scenes", "1")).stderr).toMatch(
      /^error OUTPUT_UNWRITABLE: .* Set CLIP_INTERPRET_CACHE to a folder/,
    );
  });
});

describe("errors", () => {
  it("are JSON of the HTTP API's shape with --json, also where the command line itself is wrong", async () => {
    const { code, stdout, stderr } = await runHere("explain", "missing.png", "--text", "a", "--json");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "INPUT_NOT_FOUND",
        message: expect.stringContaining("missing.png"),
        hint: expect.any(String),
      },
    });
    expect(JSON.parse((await runHere("explaim", "--json")).stderr)).toMatchObject({
      error: { code: "USAGE" },
    });
  });

  it("of a command that is mistyped name the one that may be meant, whatever else the line names", async () => {
    for (const args of [["explaim"], ["explaim", "index"], ["--model", "index", "explaim"]])
      expect((await runHere(...args)).stderr).toMatch(/unknown command 'explaim'.*explain/);
    expect(await runHere("--json", "models", "--model", "demo")).toMatchObject({ code: 0 });
  });

  it("say before any work that a result is no table", async () => {
    expect(await runHere("pull", "nothing", "--csv")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error USAGE: the result of `pull` is no table/),
    });
  });
});

// Windows' own `bash` is a Linux machine that need not be there.
describe.skipIf(process.platform === "win32")("completion in bash", () => {
  const script = completionScript(whole, "bash", ["model-a", "model-b"]);
  /** What is offered for a line whose last word is being typed. */
  const offered = (line: string) => {
    const typed = line.split(" ");
    const ask = `COMP_WORDS=(${typed.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${typed.length - 1}
      _clip_interpret; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["--norc", "-c", `${script}\n${ask}`], { encoding: "utf8" })
      .split("\n")
      .filter(Boolean);
  };

  it.each([
    ["commands", "clip-interpret ex", ["explain", "export"]],
    ["commands within a command", "clip-interpret evaluate r", ["retrieval"]],
    ["options", "clip-interpret explain photo.jpg --te", ["--text", "--texts", "--text-heads"]],
    ["options of every command", "clip-interpret evaluate retrieval --mod", ["--model"]],
    ["values that are known", "clip-interpret segment photo.jpg --mode ", ["topic", "contrast"]],
    ["names of models", "clip-interpret explain --model model-", ["model-a", "model-b"]],
    ["nothing for a file, which the shell completes itself", "clip-interpret explain pho", []],
    ["nothing for an option's file", "clip-interpret neighbors --index ", []],
  ])("offers %s", (_, line, expected) => {
    expect(offered(line)).toEqual(expected);
  });
});

it("every table is of a command that there is", () => {
  const paths = leavesOf(whole).map(pathOf);
  expect(paths.filter(hasTable)).toHaveLength(21);
});
