#!/usr/bin/env node
import { ClipInterpretError, exitCodeOf, messageOf } from "../support/errors.ts";
import type { ProgressEvent } from "../support/progress.ts";
import { calledAs } from "./called.ts";

// The first Ctrl-C (or a polite kill) asks the work to stop where it can go on later; the second ends the process at once.
const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (!controller.signal.aborted) return controller.abort();
    // As the system does by default: ending in order would wait for threads.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that closed the pipe early (`| head`) is not an error of ours.
  process.exit(error.code === "EPIPE" ? 0 : 2);
});
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
  process.stderr.write(`error ${error.code}: ${error.message}. ${error.hint}\n`);
  process.exit(exitCodeOf(error));
});
process.exitCode = await runCli(process.argv.slice(2), process, controller.signal, called, tellParent);
if (process.connected) process.disconnect();
