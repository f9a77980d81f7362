import { PassThrough } from "node:stream";
import { runCli } from "../../src/cli/program.ts";

/** What work that took long said of how far it was: more on a slow machine, so that no test can count on it. */
const PROGRESS = /^(\{"progress":.*|.*: \d+(\/\d+)? \S+(, [\d.]+\/s.*| in [\d.]+ \w+))\n/gm;

/** Standard error without lines of progress. */
export const withoutProgress = (stderr: string): string => stderr.replace(PROGRESS, "");

/** Runs a command line in this process: its exit code and all it wrote. */
export async function runHere(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCli(args, { stdout, stderr }, new AbortController().signal);
  const read = (stream: PassThrough) => String(stream.read() ?? "");
  return { code, stdout: read(stdout), stderr: withoutProgress(read(stderr)) };
}
