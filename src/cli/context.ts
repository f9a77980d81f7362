import { type Command, Option } from "commander";
import { ACTIVATIONS, type Activation } from "../checkpoint/model-config.ts";
import { modelOfIndex, openShardsWithModel, openWithModel } from "../corpus/index-model.ts";
import type { Index } from "../corpus/open-index.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import type { ClipModel, ModelOptions } from "../model/clip-model.ts";
import { DEFAULT_MODEL, isEmbedded } from "../model/embedded.ts";
import { createModelLoader, type ModelLoader } from "../model/registry.ts";
import { PRECISIONS, type Precision } from "../onnx/linear.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { collect, wholeNumber } from "./strings.ts";
import { hasTable, tableText } from "./tables.ts";

/** Where a command writes and what stops it; real streams in `main`, anything in tests. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** Options that every command takes. */
export interface GlobalOptions {
  /** As it was given: once; `serve` takes several. */
  readonly model?: readonly string[];
  readonly json: boolean;
  readonly csv: boolean;
  readonly jsonl: boolean;
  readonly quiet: boolean;
  readonly threads: number;
  readonly device?: string;
  readonly precision?: Precision;
  readonly activation?: Activation;
  readonly debug: boolean;
}

/** What a command's action is given. */
export interface CommandContext {
  readonly globals: GlobalOptions;
  readonly models: ModelLoader;
  /** How its models compute. */
  readonly modelOptions: ModelOptions;
  /** The model that was named, or the one that is used when none is. */
  readonly modelName: string;
  /** Loads it. */
  model(): Promise<ClipModel>;
  /**
   * An index with the model that was named, or else the one that made it.
   * @param root where its images lie now, if they moved without it
   * @throws as {@link openWithModel}
   */
  openIndex(folder: string, root?: string): Promise<{ readonly index: Index; readonly model: ClipModel }>;
  /** The same of an index of any size, whose rows are read when they are asked for. */
  openShards(
    folder: string,
    root?: string,
  ): Promise<{ readonly index: ShardedIndex; readonly model: ClipModel }>;
  /** The model that was named, or else the one that made an index, or else the one that is used when none is. */
  modelFor(index: string): Promise<ClipModel>;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly streams: Streams;
  /** How the program was called, for commands that it suggests. */
  readonly called: string;
  /** A line for people; nothing with `--quiet`, `--json`, `--csv` or `--jsonl`. */
  say(text: string): void;
  /** The command's result: JSON with `--json`, its table with `--csv` or `--jsonl`, else the text. */
  result(json: object, text: () => string): void;
}

/** Adds the global options to the program: it finds them before and after the command's name. */
export function addGlobalOptions(program: Command): void {
  program
    .option(
      "--model <name>",
      `a name that \`models\` lists, a hub id, or a folder with a checkpoint (default: what made the --index, else ${DEFAULT_MODEL}, env: CLIP_INTERPRET_MODEL)`,
      (value: string, known: readonly string[] | undefined) => collect(value, known ?? []),
    )
    .option(
      "--json",
      "print the result as JSON, and warnings and errors as JSON Lines on standard error",
      false,
    )
    .addOption(
      new Option("--csv", "print the result's table as CSV").default(false).conflicts(["json", "jsonl"]),
    )
    .addOption(
      new Option("--jsonl", "print the result's table as JSON Lines: a row a line")
        .default(false)
        .conflicts(["json"]),
    )
    .option("--quiet", "print results, warnings and errors only", false)
    .addOption(
      new Option("--threads <n>", "threads for the encoder, at most the cores there are; 0 takes every core")
        .argParser(wholeNumber(0))
        .default(0)
        .env("CLIP_INTERPRET_THREADS"),
    )
    .option(
      "--device <name>",
      "where the image encoder runs: cpu, or cuda, coreml, dml, webgpu where they are (default: as the --index was made, else cpu)",
    )
    .addOption(
      new Option(
        "--precision <name>",
        "int8 is faster and an approximation, and labelled as one (default: as the --index was made, else fp32)",
      ).choices(PRECISIONS),
    )
    .addOption(
      new Option(
        "--activation <name>",
        "the activation of both towers; default: what the config, or the name of a known model, says",
      ).choices(ACTIVATIONS),
    )
    .option("--debug", "show the stack trace of an error", false);
}

/** Sees that a command was not given several models where it uses one. @throws `USAGE` */
export function requireOneModel({ model = [] }: GlobalOptions, command: string): void {
  if (model.length > 1 && command !== "serve")
    throw new ClipInterpretError("USAGE", `--model is given ${model.length} times; only serve takes several`);
}

/**
 * Makes the context that one command runs in.
 * @param command as it is typed: `evaluate zero-shot`
 * @param called how the program is called
 * @throws `USAGE` where a table is asked for and the command's result has none
 */
export function createContext(
  command: string,
  globals: GlobalOptions,
  streams: Streams,
  report: Report,
  signal: AbortSignal,
  called: string,
): CommandContext {
  const { threads, device, precision, activation } = globals;
  const format = formatOf(globals);
  if ((format === "csv" || format === "jsonl") && !hasTable(command)) {
    throw new ClipInterpretError(
      "USAGE",
      `the result of \`${command}\` is no table: --${format} has nothing to print`,
    );
  }
  const line = (text: string) => streams.stdout.write(`${text}\n`);
  const modelOptions: ModelOptions = {
    ...{ threads, ...(device !== undefined && { device }) },
    ...(precision && { precision }),
    ...(activation && { activation }),
  };
  const models = createModelLoader(modelOptions);
  const named = globals.model?.at(-1);
  const modelName = named ?? (process.env.CLIP_INTERPRET_MODEL || DEFAULT_MODEL);
  return {
    globals,
    models,
    modelOptions,
    modelName,
    model: () => {
      // A large one takes seconds. Where nobody watches, a line every 15 s is enough.
      if (streams.stderr.isTTY && !isEmbedded(modelName))
        report({ type: "note", message: `loading ${modelName} …` });
      return models.load(modelName);
    },
    openIndex: (folder, root) => openWithModel(folder, models, { named, root, report }),
    openShards: (folder, root) => openShardsWithModel(folder, models, { named, root, report }),
    modelFor: async (index) =>
      (named === undefined ? await modelOfIndex(index, models) : undefined) ?? models.load(modelName),
    signal,
    report,
    streams,
    called,
    say: (text) => {
      if (!globals.quiet && format === "text") line(text);
    },
    result: (json, text) => {
      if (format === "text") line(text());
      else if (format === "json") line(JSON.stringify(json));
      else streams.stdout.write(tableText(command, json, format));
    },
  };
}

const formatOf = ({ json, csv, jsonl }: GlobalOptions) =>
  json ? "json" : csv ? "csv" : jsonl ? "jsonl" : "text";
