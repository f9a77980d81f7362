import { Command, CommanderError, Help, type Option } from "commander";
import { ClipInterpretError, ERRORS, exitCodeOf } from "../support/errors.ts";
import { requireWritable } from "../support/files.ts";
import type { Report } from "../support/progress.ts";
import { reasonOf } from "../support/reason.ts";
import { asCalled, INSTALLED } from "./called.ts";
import type { Register, RunCommand } from "./command.ts";
import {
  addGlobalOptions,
  type CommandContext,
  createContext,
  type GlobalOptions,
  requireOneModel,
  type Streams,
} from "./context.ts";
import { addExamples } from "./examples.ts";
import { createProgress } from "./progress.ts";
import { oneLine } from "./strings.ts";
import { VERSION } from "./version.ts";

/** A command's module, loaded where the command is asked for: all of them together take a second. */
type Load = () => Promise<Register>;

/** The commands as `--help` shows them. */
const GROUPS: readonly (readonly [heading: string, commands: Readonly<Record<string, Load>>])[] = [
  [
    "Start here:",
    {
      serve: async () => (await import("./commands/serve.ts")).registerServe,
      explain: async () => (await import("./commands/explain.ts")).registerExplain,
      demo: async () => (await import("./commands/demo.ts")).registerDemo,
    },
  ],
  [
    "Models:",
    {
      models: async () => (await import("./commands/models.ts")).registerModels,
      pull: async () => (await import("./commands/pull.ts")).registerPull,
      verify: async () => (await import("./commands/verify.ts")).registerVerify,
    },
  ],
  ["Look at an image:", { segment: async () => (await import("./commands/segment.ts")).registerSegment }],
  [
    "Look through many images:",
    {
      index: async () => (await import("./commands/index-images.ts")).registerIndex,
      worker: async () => (await import("./commands/worker.ts")).registerWorker,
      atlas: async () => (await import("./commands/atlas.ts")).registerAtlas,
      neighbors: async () => (await import("./commands/neighbors.ts")).registerNeighbors,
      selectivity: async () => (await import("./commands/selectivity.ts")).registerSelectivity,
    },
  ],
  [
    "Put heads into words:",
    {
      textspan: async () => (await import("./commands/textspan.ts")).registerTextspan,
      label: async () => (await import("./commands/label.ts")).registerLabel,
      metrics: async () => (await import("./commands/metrics.ts")).registerMetrics,
      calibrate: async () => (await import("./commands/calibrate.ts")).registerCalibrate,
    },
  ],
  [
    "Measure and compare:",
    {
      evaluate: async () => (await import("./commands/evaluate.ts")).registerEvaluate,
      debias: async () => (await import("./commands/debias.ts")).registerDebias,
      compare: async () => (await import("./commands/compare.ts")).registerCompare,
      registers: async () => (await import("./commands/registers.ts")).registerRegisters,
      similar: async () => (await import("./commands/similar.ts")).registerSimilar,
      study: async () => (await import("./commands/study.ts")).registerStudy,
      referee: async () => (await import("./commands/referee.ts")).registerReferee,
    },
  ],
  [
    "Parts of the pipeline:",
    {
      decompose: async () => (await import("./commands/decompose.ts")).registerDecompose,
      export: async () => (await import("./commands/export.ts")).registerExport,
      preprocess: async () => (await import("./commands/preprocess.ts")).registerPreprocess,
      tokenize: async () => (await import("./commands/tokenize.ts")).registerTokenize,
    },
  ],
  [
    "This program:",
    { completion: async () => (await import("./commands/completion.ts")).registerCompletion },
  ],
];
const COMMANDS = new Map(GROUPS.flatMap(([, commands]) => Object.entries(commands)));

/**
 * The commands that a command line can be about: those whose name stands in it, wherever that is. All where none
 * does and the version is not asked for, and for what speaks of all.
 */
function asked(args: readonly string[]): ReadonlySet<string> {
  const names = args.filter((arg) => COMMANDS.has(arg));
  if (names.length === 0 && args.some((arg) => arg === "--version" || arg === "-V")) return new Set();
  return new Set(names.length === 0 || names.includes("completion") ? COMMANDS.keys() : names);
}

/**
 * The program with its commands; `run` makes an action of what a command does.
 * @param names the commands that it has. Default: every one
 */
export async function createProgram(
  run: RunCommand,
  names: ReadonlySet<string> = new Set(COMMANDS.keys()),
): Promise<Command> {
  const program = new Command("clip-interpret")
    .description(
      "See what every attention head of a CLIP model looks for. Without a command it opens the app, as `serve` does.",
    )
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, optionDescription });
  addGlobalOptions(program);
  for (const [heading, commands] of GROUPS) {
    const loads = Object.entries(commands).filter(([name]) => names.has(name));
    program.commandsGroup(heading);
    for (const register of await Promise.all(loads.map(([, load]) => load()))) register(program, run);
  }
  program.helpCommand("help [command]", "what `COMMAND --help` says; without a command, this list");
  addExamples(program);
  return program;
}

/** A command and all within it. */
const forAll = (command: Command, visit: (command: Command) => void): void => {
  visit(command);
  for (const inner of command.commands) forAll(inner, visit);
};

/**
 * Runs one command line and returns the exit code: 0, 1 for a user's mistake, 2 for a fault of ours, 130 where it was stopped.
 * @param typed without node and script, as in `process.argv.slice(2)`; nothing at all opens the app
 * @param called how the program is called where it names itself
 * @param listener hears of progress and warnings too
 */
export async function runCli(
  typed: readonly string[],
  streams: Streams,
  signal: AbortSignal,
  called = INSTALLED,
  listener?: Report,
): Promise<number> {
  const args = typed.length === 0 ? ["serve"] : typed;
  // A terminal that does not say how wide it is, as within some containers, says 0.
  for (const stream of [streams.stdout, streams.stderr])
    if (stream.columns === 0) Object.assign(stream, { columns: undefined });
  const run: RunCommand =
    <Args extends unknown[]>(action: (context: CommandContext, ...args: Args) => Promise<void>) =>
    async (...args: [...Args, Command]) => {
      const command = args.at(-1) as Command;
      const globals = command.optsWithGlobals<GlobalOptions>();
      const progress = createProgress(streams.stderr, globals);
      const report: Report = (event) => {
        // No bar begins below the line that says that it stops, and hides the cursor.
        if (!signal.aborted || event.type !== "start") progress.report(event);
        listener?.(event);
      };
      const context = createContext(nameOf(command), globals, streams, report, signal, called);
      // Whoever waits at a terminal: a batch of a large model takes seconds.
      const sayStopping = () => {
        if (!streams.stderr.isTTY) return;
        progress.stop();
        progress.report({ type: "note", message: STOPPING });
      };
      signal.addEventListener("abort", sayStopping, { once: true });
      try {
        requireOneModel(globals, command.name());
        // Before an hour's work. What an index is written to says so by itself.
        const { out = [] } = command.opts<{ readonly out?: string | readonly string[] }>();
        if (command.name() !== "index") for (const path of [out].flat()) await requireWritable(path);
        await action(context, ...(args.slice(0, -1) as Args));
      } catch (error) {
        throw stopped(error, nameOf(command));
      } finally {
        progress.stop();
        await context.models.release();
        signal.removeEventListener("abort", sayStopping);
      }
    };
  const names = asked(args);
  let program = await createProgram(run, names);
  // What commander would print on standard error: the help of a command that lacks a subcommand, or a usage error.
  let unsaid = "";
  const keep = (text: string) => {
    unsaid = text;
  };
  const parse = async () => {
    forAll(program, (command) =>
      command.configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: keep }),
    );
    await program.parseAsync(args, { from: "user" });
    return 0;
  };
  try {
    return await parse().catch(async (error) => {
      // A name stands in it, but not as the command: with all of them, commander says which one may be meant.
      if (!(error instanceof CommanderError) || error.code !== "commander.unknownCommand") throw error;
      program = await createProgram(run);
      return parse();
    });
  } catch (error) {
    if (error instanceof CommanderError && error.code === "commander.help") {
      streams.stdout.write(unsaid);
      return 0;
    }
    return fail(error, streams, { json: args.includes("--json"), debug: args.includes("--debug"), called });
  }
}

const STOPPING = "Stopping after what is in hand; Ctrl-C again ends it at once.";

/** What is kept when a command is stopped, where the layer that was stopped does not know. */
const KEPT: Readonly<Record<string, string>> = {
  atlas: "Images that were looked at are kept; the same command goes on after them.",
  index: "Images that were looked at are kept; the same command goes on after them.",
  serve: "The same command starts the server again.",
  worker: "The part that was under way was given back to the queue.",
  demo: "Scenes that were drawn are kept; the same command goes on after them.",
  study: "Finished steps are kept; the same command goes on after them.",
  referee: "Finished steps are kept; the same command goes on after them.",
  pull: "What was received is kept; the same command goes on after it.",
};
const NOTHING_KEPT = "No result was written; the same command begins anew.";

/** The error of stopped work, which says what is kept. */
function stopped(error: unknown, command: string): unknown {
  if (!(error instanceof ClipInterpretError) || error.code !== "CANCELLED") return error;
  if (error.hint !== ERRORS.CANCELLED.hint) return error;
  return new ClipInterpretError("CANCELLED", error.message, {
    hint: KEPT[command] ?? NOTHING_KEPT,
    cause: error,
  });
}

/** A command as it is typed: `evaluate zero-shot`. */
const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

/** Commander's own words, without "(default: false)" and "(default: [])", which say nothing. */
function optionDescription(option: Option): string {
  const { defaultValue: value } = option;
  const says = value !== false && !(Array.isArray(value) && value.length === 0);
  const shown = says ? option : Object.assign(Object.create(option), { defaultValue: undefined });
  return new Help().optionDescription(shown);
}

/** Commands that look at one image, as commander says that they were given more. */
const ONE_IMAGE = /'(explain|segment)'\. Expected 1 argument but got (\d+)/;

function usageError(thrown: CommanderError): ClipInterpretError {
  const [, command, given] = ONE_IMAGE.exec(thrown.message) ?? [];
  if (thrown.code !== "commander.excessArguments" || command === undefined)
    return new ClipInterpretError("USAGE", thrown.message.replace(/^error: /, ""), { cause: thrown });
  return new ClipInterpretError("USAGE", `${command} takes one image, and was given ${given}`, {
    hint: "Run it once an image; `index` takes many. A path with spaces needs quotes, and a text stands behind --text.",
    cause: thrown,
  });
}

function fail(
  thrown: unknown,
  streams: Streams,
  { json, debug, called }: { readonly json: boolean; readonly debug: boolean; readonly called: string },
): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error =
    thrown instanceof CommanderError
      ? usageError(thrown)
      : thrown instanceof ClipInterpretError
        ? thrown
        : new ClipInterpretError("INTERNAL", reasonOf(thrown), { cause: thrown });
  const { code, hint } = error;
  const message = oneLine(error.message).replace(/\.$/, "");
  const stack = debug ? (thrown instanceof Error ? thrown.stack : String(thrown)) : undefined;
  // The same shape as the HTTP API's.
  const said = json
    ? JSON.stringify({ error: { code, message, hint, ...(stack && { stack }) } })
    : `error ${code}: ${asCalled(`${message}. ${hint}`, called)}${stack ? `\n${stack}` : ""}`;
  streams.stderr.write(`${said}\n`);
  return exitCodeOf(error);
}
