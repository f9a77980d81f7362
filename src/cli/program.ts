import { Command, CommanderError } from "commander";
import { ClipInterpretError, exitCodeOf } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";
import type { Register, RunCommand } from "./command.ts";
import { registerCompare } from "./commands/compare.ts";
import { registerDebias } from "./commands/debias.ts";
import { registerDecompose } from "./commands/decompose.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerEvaluate } from "./commands/evaluate.ts";
import { registerExplain } from "./commands/explain.ts";
import { registerIndex } from "./commands/index-images.ts";
import { registerLabel } from "./commands/label.ts";
import { registerMetrics } from "./commands/metrics.ts";
import { registerModels } from "./commands/models.ts";
import { registerNeighbors } from "./commands/neighbors.ts";
import { registerPreprocess } from "./commands/preprocess.ts";
import { registerPull } from "./commands/pull.ts";
import { registerSegment } from "./commands/segment.ts";
import { registerSelectivity } from "./commands/selectivity.ts";
import { registerServe } from "./commands/serve.ts";
import { registerSimilar } from "./commands/similar.ts";
import { registerStudy } from "./commands/study.ts";
import { registerTextspan } from "./commands/textspan.ts";
import { registerTokenize } from "./commands/tokenize.ts";
import { registerVerify } from "./commands/verify.ts";
import {
  addGlobalOptions,
  type CommandContext,
  createContext,
  type GlobalOptions,
  requireOneModel,
  type Streams,
} from "./context.ts";
import { createProgress } from "./progress.ts";
import { oneLine } from "./strings.ts";
import { VERSION } from "./version.ts";

const COMMANDS: readonly Register[] = [
  registerServe,
  registerModels,
  registerPull,
  registerVerify,
  registerExplain,
  registerDemo,
  registerDecompose,
  registerIndex,
  registerNeighbors,
  registerSelectivity,
  registerLabel,
  registerTextspan,
  registerSegment,
  registerMetrics,
  registerStudy,
  registerEvaluate,
  registerCompare,
  registerSimilar,
  registerDebias,
  registerPreprocess,
  registerTokenize,
];

/**
 * Runs one command line and returns the exit code: 0, 1 for a user's mistake, 2 for a fault of ours, 130 after Ctrl-C.
 * @param args without node and script, as in `process.argv.slice(2)`
 */
export async function runCli(
  args: readonly string[],
  streams: Streams,
  signal: AbortSignal,
): Promise<number> {
  const program = new Command("clip-interpret")
    .description("See what every attention head of a CLIP model looks for.")
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: () => {},
    });
  const run: RunCommand =
    <Args extends unknown[]>(action: (context: CommandContext, ...args: Args) => Promise<void>) =>
    async (...args: [...Args, Command]) => {
      const command = args.at(-1) as Command;
      const globals = command.optsWithGlobals<GlobalOptions>();
      const progress = createProgress(streams.stderr, globals.quiet || globals.json);
      const context = createContext(globals, streams, progress.report, signal);
      try {
        requireOneModel(globals, command.name());
        await action(context, ...(args.slice(0, -1) as Args));
      } finally {
        progress.stop();
        await context.models.release();
      }
    };
  addGlobalOptions(program);
  for (const register of COMMANDS) register(program, run);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    return fail(error, streams, args.includes("--debug"));
  }
}

function fail(thrown: unknown, streams: Streams, debug: boolean): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error =
    thrown instanceof CommanderError
      ? new ClipInterpretError("USAGE", thrown.message.replace(/^error: /, ""), { cause: thrown })
      : thrown instanceof ClipInterpretError
        ? thrown
        : new ClipInterpretError("INTERNAL", reasonOf(thrown), { cause: thrown });
  const message = oneLine(error.message).replace(/\.$/, "");
  streams.stderr.write(`error ${error.code}: ${message}. ${error.hint}\n`);
  if (debug) streams.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  return exitCodeOf(error);
}
