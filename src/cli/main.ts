#!/usr/bin/env node
import { constants } from "node:os";
import { ClipInterpretError, exitCodeOf, messageOf } from "../support/errors.ts";
import { writeError } from "../support/files.ts";
import type { ProgressEvent } from "../support/progress.ts";
import { calledAs } from "./called.ts";

// The first Ctrl-C (or a polite kill) asks the work to stop where it can go on later; the second ends the process at once.
const controller = new AbortController();
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** As shells number the end by a signal: 130, 143. */
let stoppedWith: number | undefined;
for (const signal of SIGNALS) {
  process.on(signal, () => {
    if (controller.signal.aborted) return endBy(signal);
    stoppedWith = 128 + constants.signals[signal];
    controller.abort();
    // From here on the system does it, even while what loads or computes holds this thread: not for the first process of a
    // container, which no signal ends by itself.
    if (process.pid !== 1) setImmediate(leaveToSystem);
  });
}
function leaveToSystem(): void {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
}
/** As the system does by default: ending in order would wait for threads. */
function endBy(signal: (typeof SIGNALS)[number]): void {
  if (process.pid === 1) process.exit(128 + constants.signals[signal]);
  leaveToSystem();
  process.kill(process.pid, signal);
}
process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  // A reader that closed the pipe early (`| head`) is not an error of ours.
  if (cause.code === "EPIPE") process.exit(0);
  endWith(writeError("to standard output", cause));
});
// Who reads what is said of work may go; the work goes on.
process.stderr.on("error", () => {});
function endWith(error: ClipInterpretError): never {
  process.stderr.write(`error ${error.code}: ${error.message}. ${error.hint}\n`);
  process.exit(exitCodeOf(error));
}
const called = calledAs(process.argv[1], process.env, process.cwd());
// A worker that started this process hears how far it is; without the worker the part is somebody else's.
const tellParent =
  process.send && ((event: ProgressEvent) => void (process.connected && process.send!(event)));
process.on("disconnect", () => controller.abort());
process.channel?.unref();
// Without its native libraries nothing can be loaded, and so nothing said as usual. sharp says it in many lines, of which the first tells.
const { runCli } = await import("./program.ts").catch((cause: unknown) => {
  const [said] = messageOf(cause).split("\n");
  const error = said.startsWith('Could not load the "sharp" module')
    ? new ClipInterpretError("RUNTIME_MISSING", said)
    : cause;
  if (!(error instanceof ClipInterpretError)) throw error;
  return endWith(error);
});
const code = await runCli(process.argv.slice(2), process, controller.signal, called, tellParent);
process.exitCode = code === 130 ? (stoppedWith ?? code) : code;
if (process.connected) process.disconnect();
