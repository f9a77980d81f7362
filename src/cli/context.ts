import type { Command } from "commander";
import { createModelLoader, DEFAULT_MODEL, type ModelLoader } from "../model/registry.ts";
import type { Report } from "../support/progress.ts";

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

/** Adds the global options; they may stand before or after the command's name. */
export function addGlobalOptions(command: Command, parseCount: (text: string) => number): void {
  command
    .option("--model <name>", "an embedded model's name, or a folder with a checkpoint", DEFAULT_MODEL)
    .option("--json", "print the result as JSON, nothing else on standard output", false)
    .option("--quiet", "print results and errors only", false)
    .option("--threads <n>", "threads for the encoder; 0 takes every core", parseCount, 0)
    .option("--debug", "show the stack trace of an error", false);
}

/** Makes the context that one command runs in. */
export function createContext(
  globals: GlobalOptions,
  streams: Streams,
  report: Report,
  signal: AbortSignal,
): CommandContext {
  const line = (text: string) => streams.stdout.write(`${text}\n`);
  return {
    globals,
    models: createModelLoader({ threads: globals.threads }),
    signal,
    report,
    streams,
    say: (text) => {
      if (!globals.quiet && !globals.json) line(text);
    },
    result: (json, text) => line(globals.json ? JSON.stringify(json) : text()),
  };
}
