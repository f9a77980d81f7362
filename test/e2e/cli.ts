import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { withoutProgress } from "../support/run-cli.ts";

const ROOT = new URL("../../", import.meta.url);
const MAIN = fileURLToPath(new URL("dist/cli/main.js", ROOT));

/** Path of a file of the repository. */
export const repositoryPath = (path: string): string => fileURLToPath(new URL(path, ROOT));

/** What one run of the command line tool left behind. */
export interface CliResult {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface CliOptions {
  readonly cwd?: string;
  /** Set on top of this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which the process is killed and the run fails. */
  readonly timeout?: number;
  /** In a process of its own: for what a process reads as it starts, or for several at once. */
  readonly apart?: boolean;
}

/** Starts the compiled tool; `result` fails when it runs past the timeout. */
export function startCli(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, timeout = 30_000 }: CliOptions = {},
): { child: ChildProcess; result: Promise<CliResult> } {
  if (!existsSync(MAIN)) throw new Error("dist/ is missing: `npm test` builds it first");
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = new Promise<CliResult>((resolve, reject) => {
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`ran past ${timeout} ms: ${args.join(" ").slice(0, 200)}`));
    }, timeout);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      const said = withoutProgress(Buffer.concat(stderr).toString());
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: said });
    });
  });
  return { child, result };
}

/** Runs the compiled tool to its end, in this process unless it is to be `apart`: that saves the start of another. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (options.apart) return startCli(args, options).result;
  const run = last.then(() => runInside(args, options));
  last = run.catch(() => {});
  return run;
}

/** The working folder and the environment are the process's: one run at a time. */
let last: Promise<unknown> = Promise.resolve();

async function runInside(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, timeout = 30_000 }: CliOptions,
): Promise<CliResult> {
  const program: typeof import("../../src/cli/program.ts") = await import(
    fileURLToPath(new URL("dist/cli/program.js", ROOT))
  );
  const before = process.cwd();
  const restore = setEnvironment(env);
  process.chdir(cwd);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  try {
    const code = await program.runCli(args, { stdout, stderr }, stop.signal);
    if (stop.signal.aborted) throw new Error(`ran past ${timeout} ms: ${args.join(" ").slice(0, 200)}`);
    const read = (stream: PassThrough) => String(stream.read() ?? "");
    return { code, stdout: read(stdout), stderr: withoutProgress(read(stderr)) };
  } finally {
    clearTimeout(timer);
    process.chdir(before);
    restore();
  }
}

/** Sets variables of this process's environment; what it returns sets them back. */
function setEnvironment(env: NonNullable<CliOptions["env"]>): () => void {
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]));
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  return () => void setEnvironment(before);
}

/** Runs the tool, expects success in silence on standard error, and returns standard output. */
export async function runOk(args: readonly string[], options?: CliOptions): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** The lines of standard error with `--json`: an object each. */
export const jsonLines = (stderr: string): unknown[] =>
  stderr
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/**
 * Expects a user's mistake: exit code 1, nothing on standard output, one line with the code on standard error, which is
 * JSON with `--json`.
 */
export function expectError({ code, stdout, stderr }: CliResult, errorCode: string): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(
    new RegExp(`^(error ${errorCode}: [^\\n]+|{"error":{"code":"${errorCode}",[^\\n]+}})\\n$`),
  );
}

/**
 * An environment with nothing but a path, a home and a folder for temporary files. Libraries that stay quiet in
 * CI, such as ONNX Runtime with its telemetry, do not know here that they are in it.
 */
export function bareEnvironment(home: string, temporary = home): NonNullable<CliOptions["env"]> {
  const nothing = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  return { ...nothing, PATH: process.env.PATH, HOME: home, USERPROFILE: home, TMPDIR: temporary };
}

/** A new folder, removed when the running test ends. */
export async function testFolder(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/** A function that names files in a folder shared by a whole test file. */
export function sharedFolder(): (name?: string) => string {
  let folder = "";
  beforeAll(async () => {
    folder = await newFolder();
  });
  afterAll(() => removeFolder(folder));
  return (name = "") => join(folder, name);
}

const newFolder = () => mkdtemp(join(tmpdir(), "clip-interpret-e2e-"));
const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true });
