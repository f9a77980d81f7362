import { PassThrough } from "node:stream";
import { runCli } from "../../src/cli/program.ts";

/** Runs a command line in this process: its exit code and all it wrote. */
export async function runHere(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCli(args, { stdout, stderr }, new AbortController().signal);
  const read = (stream: PassThrough) => String(stream.read() ?? "");
  return { code, stdout: read(stdout), stderr: read(stderr) };
}
