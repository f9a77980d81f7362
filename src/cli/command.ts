import type { Command } from "commander";
import type { CommandContext } from "./context.ts";

/** Registers one command: its words, options and action. */
export type Register = (program: Command, run: RunCommand) => void;
/** Wraps a command's action: gives it its context and cleans up after it. */
export type RunCommand = <Args extends unknown[]>(
  action: (context: CommandContext, ...args: Args) => Promise<void>,
) => (...args: [...Args, Command]) => Promise<void>;
