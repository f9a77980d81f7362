import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext } from "./context.ts";

/** Registers one command: its words, options and action. */
export type Register = (program: Command, run: RunCommand) => void;
/** Wraps a command's action: gives it its context and cleans up after it. */
export type RunCommand = <Args extends unknown[]>(
  action: (context: CommandContext, ...args: Args) => Promise<void>,
) => (...args: [...Args, Command]) => Promise<void>;

/** Reads a whole number of at least 0. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Give a whole number.");
  return value;
}
