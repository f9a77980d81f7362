import { type Command, Option } from "commander";
import { ACTIVATIONS, type Activation } from "../checkpoint/model-config.ts";
import { createModelLoader, DEFAULT_MODEL, type ModelLoader } from "../model/registry.ts";
import { PRECISIONS, type Precision } from "../onnx/linear.ts";
import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { wholeNumber } from "./strings.ts";
import { hasTable, tableText } from "./tables.ts";

/** Where a command writes and what stops it; real streams in `main`, anything in tests. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly model: string;
  readonly json: boolean;
  readonly csv: boolean;
  readonly jsonl: boolean;
  readonly quiet: boolean;
  readonly threads: number;
  readonly device: string;
  readonly precision: Precision;
  readonly activation?: Activation;
  readonly debug: boolean;
}

/** What a command's action is given. */
export interface CommandContext {
  readonly globals: GlobalOptions;
  readonly models: ModelLoader;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly streams: Streams;
  /** A line for people; nothing with `--quiet`, `--json`, `--csv` or `--jsonl`. */
  say(text: string): void;
  /** The command's result: JSON with `--json`, its table with `--csv` or `--jsonl`, else the text. */
  result(json: object, text: () => string): void;
}

/** Adds the global options to the program: it finds them before and after the command's name. */
export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option("--model <name>", "a name that `models` lists, a hub id, or a folder with a checkpoint")
        .default(DEFAULT_MODEL)
        .env("CLIP_INTERPRET_MODEL"),
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
      "where the image encoder runs: cpu, or cuda, coreml, dml, webgpu where they are",
      "cpu",
    )
    .addOption(
      new Option("--precision <name>", "int8 is faster and an approximation, and labelled as one")
        .choices(PRECISIONS)
        .default("fp32"),
    )
    .addOption(
      new Option(
        "--activation <name>",
        "the activation of both towers; default: what the config, or the name of a known model, says",
      ).choices(ACTIVATIONS),
    )
    .option("--debug", "show the stack trace of an error", false);
}

/**
 * Makes the context that one command runs in.
 * @param command as it is typed: `evaluate zero-shot`
 * @throws `USAGE` where a table is asked for and the command's result has none
 */
export function createContext(
  command: string,
  globals: GlobalOptions,
  streams: Streams,
  report: Report,
  signal: AbortSignal,
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
  return {
    globals,
    models: createModelLoader({ threads, device, precision, ...(activation && { activation }) }),
    signal,
    report,
    streams,
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
