import { type Command, Option } from "commander";
import { ACTIVATIONS, type Activation } from "../checkpoint/model-config.ts";
import { createModelLoader, DEFAULT_MODEL, type ModelLoader } from "../model/registry.ts";
import { PRECISIONS, type Precision } from "../onnx/linear.ts";
import type { Report } from "../support/progress.ts";
import { wholeNumber } from "./strings.ts";

/** Where a command writes and what stops it; real streams in `main`, anything in tests. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly model: string;
  readonly json: boolean;
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
  /** A line for people; nothing with `--quiet` or `--json`. */
  say(text: string): void;
  /** The command's result: JSON with `--json`, else the text. */
  result(json: unknown, text: () => string): void;
}

/** Adds the global options to the program: it finds them before and after the command's name. */
export function addGlobalOptions(program: Command): void {
  program
    .option(
      "--model <name>",
      "a name that `models` lists, a hub id, or a folder with a checkpoint",
      DEFAULT_MODEL,
    )
    .option("--json", "print the result as JSON, nothing else on standard output", false)
    .option("--quiet", "print results and errors only", false)
    .option(
      "--threads <n>",
      "threads for the encoder, at most the cores there are; 0 takes every core",
      wholeNumber(0),
      0,
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

/** Makes the context that one command runs in. */
export function createContext(
  globals: GlobalOptions,
  streams: Streams,
  report: Report,
  signal: AbortSignal,
): CommandContext {
  const { threads, device, precision, activation } = globals;
  const line = (text: string) => streams.stdout.write(`${text}\n`);
  return {
    globals,
    models: createModelLoader({ threads, device, precision, ...(activation && { activation }) }),
    signal,
    report,
    streams,
    say: (text) => {
      if (!globals.quiet && !globals.json) line(text);
    },
    result: (json, text) => line(globals.json ? JSON.stringify(json) : text()),
  };
}
